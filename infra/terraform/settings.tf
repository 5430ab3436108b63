# The settings of the DAGs (include/settings.py): what has no default there, and what Terraform names. MWAA's startup
# script exports them; on a laptop with IAC=terraform, Airflow gets them from this output.
locals {
  settings = var.release == null ? null : {
    NIGHTJAR_REGION            = var.region
    NIGHTJAR_RAW_BUCKET        = module.lake.bucket_names["raw"]
    NIGHTJAR_LAKE_BUCKET       = module.lake.bucket_names["lake"]
    NIGHTJAR_ARTIFACT_BUCKET   = module.lake.bucket_names["artifact"]
    NIGHTJAR_GLUE_DATABASE     = module.lake.database_name
    NIGHTJAR_ATHENA_WORKGROUP  = module.lake.workgroup_name
    NIGHTJAR_STATE_TABLE       = module.lake.state_table_name
    NIGHTJAR_ECS_CLUSTER       = module.serving.cluster_name
    NIGHTJAR_TRAINING_IMAGE    = var.release.training_image
    NIGHTJAR_SERVING_IMAGE     = var.release.serving_image
    NIGHTJAR_TRAINING_ROLE_ARN = module.security.role_arns["sagemaker"]
    NIGHTJAR_ALERTS_TOPIC_ARN  = module.observability.alerts_topic_arn

    NIGHTJAR_MLFLOW_TRACKING_URI = module.training.tracking_server_arn
    NIGHTJAR_TRAINING_GPU_IMAGE  = var.release.training_gpu_image
  }
}

output "settings" {
  description = "Environment variables of the DAGs; null until code is deployed."
  value       = local.settings
}
