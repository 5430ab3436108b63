# The way in from the internet, where the environment has one: CloudFront, web ACL, public host names.
module "edge" {
  source    = "./modules/edge"
  count     = var.switches.public_edge ? 1 : 0
  providers = { aws = aws, aws.edge = aws.edge }

  definitions    = local.definitions
  names          = local.names
  workloads      = local.workloads
  region         = var.region
  domain         = var.domain
  public_zone_id = module.serving.public_zone_id
  vpc_id         = module.network.vpc_id
  # With NAT gateways, the network has one already.
  internet_gateway = !var.switches.nat

  load_balancer = {
    arn               = module.serving.load_balancer_arn
    dns_name          = module.serving.load_balancer_dns_name
    security_group_id = module.network.security_group_ids["load_balancer"]
    certificate_arn   = module.serving.certificate_arn
  }
  target_group_arns        = module.serving.target_group_arns
  canary_target_group_arns = module.serving.canary_target_group_arns
  key_arns                 = module.security.key_arns
  log_bucket_arn           = module.lake.bucket_arns["logs"]
  https_port               = var.https_ports.public
  log_retention_days       = coalesce(var.sizes.log_retention_days, 90)
}

output "public_host_names" {
  description = "Workload → its public host name; null where the environment has no public edge."
  value       = one(module.edge[*].host_names)
}
