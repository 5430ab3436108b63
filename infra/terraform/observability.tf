# Alarms, the topic they go to, dashboard, budget, queries, traces.
module "observability" {
  source = "./modules/observability"

  definitions  = local.definitions
  names        = local.names
  workloads    = local.workloads
  region       = var.region
  sizes        = var.sizes
  alert_emails = var.alert_emails
  runbooks     = local.runbooks
  key_arns     = module.security.key_arns

  load_balancer_arn_suffix  = module.serving.load_balancer_arn_suffix
  target_group_arn_suffixes = module.serving.target_group_arn_suffixes
}

output "alerts_topic_arn" {
  description = "Topic of every message to people."
  value       = module.observability.alerts_topic_arn
}

output "dashboard_url" {
  description = "The dashboard in CloudWatch's console."
  value       = module.observability.dashboard_url
}
