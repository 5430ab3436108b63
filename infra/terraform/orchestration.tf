# An environment needs plugins and DAGs, so there is none before the first release.
module "orchestration" {
  source             = "./modules/orchestration"
  count              = var.switches.mwaa && var.release != null ? 1 : 0
  airflow_version    = var.airflow_version
  environment_class  = var.sizes.mwaa_class
  workers            = { min = var.sizes.mwaa_min_workers, max = var.sizes.mwaa_max_workers }
  schedulers         = var.sizes.mwaa_schedulers
  private_ui         = var.switches.airflow_ui_private
  bucket             = { name = module.lake.bucket_names["mwaa"], arn = module.lake.bucket_arns["mwaa"] }
  role_arn           = module.security.role_arns["airflow"]
  key_arn            = module.security.key_arns["airflow"]
  subnet_ids         = module.network.private_subnet_ids
  security_group_ids = [module.network.security_group_ids["airflow"]]
  settings           = local.settings
  release            = var.release
  log_retention_days = coalesce(var.sizes.log_retention_days, 30)
}

output "airflow_environment_name" {
  description = "The MWAA environment; null until code is deployed."
  value       = one(module.orchestration[*].environment_name)
}

output "airflow_url" {
  description = "The Airflow UI; null until code is deployed."
  value       = one(module.orchestration[*].webserver_url)
}
