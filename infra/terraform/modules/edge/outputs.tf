output "distribution_domain" {
  description = "CloudFront's own name of the distribution."
  value       = aws_cloudfront_distribution.this.domain_name
}

output "distribution_id" {
  description = "Id of the distribution."
  value       = aws_cloudfront_distribution.this.id
}

output "host_names" {
  description = "Workload → its public host name."
  value       = local.hosts
}

output "web_acl_name" {
  description = "The web ACL as a dimension of CloudWatch metrics."
  value       = aws_wafv2_web_acl.this.name
}
