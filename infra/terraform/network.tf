locals {
  # Placeholders do not matter for a port, so the template is read as it is.
  service_port = yamldecode(file("${local.definitions}/service.yaml")).target_group.Port
}

module "network" {
  source              = "./modules/network"
  cidr                = var.vpc_cidr
  region              = var.region
  names               = local.names
  policies            = local.policies
  zone_count          = var.sizes.availability_zones
  nat_gateways        = var.switches.nat ? var.sizes.nat_gateways : 0
  interface_endpoints = var.switches.endpoints
  canaries            = anytrue([for workload in local.workloads : try(workload.deploy.canary, null) != null])
  ports               = { service = local.service_port }
  flow_logs = {
    key_arn        = module.security.key_arns["logs"]
    role_arn       = module.security.role_arns["flow-logs"]
    retention_days = coalesce(var.sizes.log_retention_days, 90)
  }
}

output "vpc_id" {
  description = "The VPC."
  value       = module.network.vpc_id
}

output "private_subnet_ids" {
  description = "Private subnets of MWAA, jobs, services and the load balancer, one a zone."
  value       = module.network.private_subnet_ids
}
