output "cluster_name" {
  description = "Name of the ECS cluster."
  value       = aws_ecs_cluster.this.name
}

output "service_names" {
  description = "Workload → name of its ECS service, also before the service exists."
  value       = { for name, service in local.services : name => service.service.serviceName }
}

output "load_balancer_arn" {
  description = "ARN of the load balancer, the origin of CloudFront."
  value       = aws_lb.this.arn
}

output "load_balancer_arn_suffix" {
  description = "The load balancer as a dimension of CloudWatch metrics."
  value       = aws_lb.this.arn_suffix
}

output "load_balancer_dns_name" {
  description = "DNS name of the load balancer."
  value       = aws_lb.this.dns_name
}

output "listener_arn" {
  description = "ARN of the internal HTTPS listener; null where each workload has a local listener."
  value       = one(aws_lb_listener.internal[*].arn)
}

output "certificate_arn" {
  description = "ARN of the load balancer's validated certificate; null without host names."
  value       = one(aws_acm_certificate_validation.this[*].certificate_arn)
}

output "public_zone_id" {
  description = "Id of the domain's public Route 53 zone; null without host names."
  value       = one(data.aws_route53_zone.public[*].zone_id)
}

output "target_group_arns" {
  description = "Workload → ARN of its target group."
  value       = { for name, group in aws_lb_target_group.this : name => group.arn }
}

output "canary_target_group_arns" {
  description = "Workload with a canary → ARN of the target group of its tasks."
  value       = { for name, group in aws_lb_target_group.canary : name => group.arn }
}

output "target_group_arn_suffixes" {
  description = "Workload → its target group as a dimension of CloudWatch metrics."
  value       = { for name, group in aws_lb_target_group.this : name => group.arn_suffix }
}

output "serving_repository_url" {
  description = "Repository to which the service's image is pushed."
  value       = aws_ecr_repository.serving.repository_url
}

output "service_urls" {
  description = "Workload → URL at which its service is verified."
  value       = local.service_urls
}

output "database_secret_arns" {
  description = "Workload → ARN of the secret with which it connects to its relational source."
  value       = { for name, secret in aws_secretsmanager_secret.database : name => secret.arn }
}

output "database" {
  description = "The relational source, for infra/delivery/database_roles.py: cluster_arn, admin_secret_arn, database, logins by workload; null without one."
  value = try({
    cluster_arn      = aws_rds_cluster.this[0].arn
    admin_secret_arn = aws_rds_cluster.this[0].master_user_secret[0].secret_arn
    database         = local.database.cluster.DatabaseName
    logins           = local.database_logins
  }, null)
}

output "cache_endpoint" {
  description = "Host of the cache's primary node; null without a cache."
  value       = local.cache_host
}
