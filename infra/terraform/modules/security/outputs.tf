output "key_arns" {
  description = "ARNs of the KMS keys by their names in infra/definitions/keys.yaml."
  value       = { for key, resource in aws_kms_key.this : key => resource.arn }
}

output "role_arns" {
  description = "ARNs of the roles: <role> of the platform, <workload>/<role> of a workload."
  value       = { for role, made in module.role : role => made.arn }
}

output "role_names" {
  description = "Names of the roles, by the same keys as role_arns."
  value       = { for role, made in module.role : role => made.name }
}

output "permissions_boundary_arn" {
  description = "The permissions boundary of all roles."
  value       = aws_iam_policy.boundary.arn
}

output "placeholders" {
  description = "Placeholders of policies: the names that were given, and key_<name> for each KMS key."
  value       = local.placeholders
}

output "audit_bucket_name" {
  description = "Bucket of CloudTrail and Config; null where both are off."
  value       = one(module.audit_bucket[*].name)
}
