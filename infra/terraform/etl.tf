module "etl" {
  source             = "./modules/etl"
  definitions        = local.definitions
  names              = local.names
  key_arns           = module.security.key_arns
  role_arn           = module.security.role_arns["glue"]
  log_retention_days = var.sizes.log_retention_days
  code_sha           = try(var.release.code_sha, null)

  # A job runs in one zone; in which one makes no difference to it.
  network = {
    subnet_id          = module.network.private_subnet_ids[0]
    availability_zone  = module.network.availability_zones[0]
    security_group_ids = [module.network.security_group_ids["jobs"]]
  }
}

output "glue_job_names" {
  description = "The Glue jobs; none until code is deployed."
  value       = module.etl.job_names
}
