module "lake" {
  source             = "./modules/lake"
  definitions        = local.definitions
  policies           = local.policies
  names              = local.names
  workloads          = local.workloads
  disposable         = local.disposable
  key_arns           = module.security.key_arns
  role_arns          = module.security.role_arns
  object_lock        = var.switches.object_lock
  stream_mode        = var.sizes.kinesis_mode
  shards             = var.sizes.kinesis_shards
  log_retention_days = var.sizes.log_retention_days
  code_sha           = try(var.release.code_sha, null)
  alerts_topic_arn   = module.observability.alerts_topic_arn
  runbooks           = local.runbooks
  nights_file        = var.local_nights_file
}

output "bucket_names" {
  description = "Buckets: raw, lake, artifact, mwaa, logs."
  value       = module.lake.bucket_names
}

output "state_table_name" {
  description = "The state table."
  value       = module.lake.state_table_name
}

output "file_drop_queue_urls" {
  description = "Queue of the files that were dropped for each workload, below s3://<lake>/drops/<workload>/."
  value       = module.lake.file_drop_queue_urls
}
