module "security" {
  source        = "./modules/security"
  definitions   = local.definitions
  policies      = local.policies
  names         = local.names
  workloads     = local.workloads
  switches      = { guardduty = var.switches.guardduty, config = var.switches.config, trail = var.switches.trail }
  force_destroy = local.disposable
}

output "key_arns" {
  description = "KMS keys by the kind of data that they encrypt."
  value       = module.security.key_arns
}

output "role_arns" {
  description = "IAM roles: <role> of the platform, <workload>/<role> of a workload."
  value       = module.security.role_arns
}

output "permissions_boundary_arn" {
  description = "Permissions boundary of all roles."
  value       = module.security.permissions_boundary_arn
}
