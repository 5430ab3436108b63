# The service: image registry, cluster, load balancer, services, cache, relational source.
module "serving" {
  source = "./modules/serving"

  definitions = local.definitions
  policies    = local.policies
  names       = local.names
  workloads   = local.workloads
  environment = var.environment
  region      = var.region
  domain      = var.domain
  release     = var.release
  sizes       = var.sizes
  switches    = var.switches

  local_listener_ports = var.local_listener_ports
  https_port           = var.https_ports.internal

  vpc_id              = module.network.vpc_id
  private_subnet_ids  = module.network.private_subnet_ids
  database_subnet_ids = module.network.database_subnet_ids
  security_group_ids  = module.network.security_group_ids
  key_arns            = module.security.key_arns
  role_arns           = module.security.role_arns
  role_names          = module.security.role_names
  log_bucket          = module.lake.bucket_names["logs"]
}

output "service_urls" {
  description = "Workload → URL at which its service is verified, within the VPC."
  value       = module.serving.service_urls
}

output "serving_repository_url" {
  description = "Repository to which the delivery pushes the service's image."
  value       = module.serving.serving_repository_url
}

output "database" {
  description = "The relational source, as infra/delivery/database_roles.py takes it; null where the environment has none."
  value       = module.serving.database
}

output "database_secret_arns" {
  description = "Workload → secret with which it connects to the relational source."
  value       = module.serving.database_secret_arns
}
