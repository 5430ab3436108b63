# The MWAA environment, on one release of plugins, requirements and DAGs (docs/adr/0026).
locals {
  name = "nightjar"
  # Component → level. Workers and the web server say much that tasks and schedulers do not repeat.
  log_levels = {
    DAGProcessing = "WARNING"
    Scheduler     = "INFO"
    Task          = "INFO"
    WebServer     = "WARNING"
    Worker        = "INFO"
  }
}

resource "aws_mwaa_environment" "this" {
  #checkov:skip=CKV_AWS_243:the level of the log is chosen above
  name                            = local.name
  airflow_version                 = var.airflow_version
  environment_class               = var.environment_class
  min_workers                     = var.workers.min
  max_workers                     = var.workers.max
  schedulers                      = var.schedulers
  webserver_access_mode           = var.private_ui ? "PRIVATE_ONLY" : "PUBLIC_ONLY"
  endpoint_management             = var.endpoint_management
  weekly_maintenance_window_start = var.maintenance_window
  execution_role_arn              = var.role_arn
  kms_key                         = var.key_arn

  # No object versions: a release's keys are written once.
  source_bucket_arn      = var.bucket.arn
  dag_s3_path            = var.release.dags_path
  plugins_s3_path        = var.release.plugins_key
  requirements_s3_path   = var.release.requirements_key
  startup_script_s3_path = aws_s3_object.startup.key

  airflow_configuration_options = {
    "core.default_timezone" = "utc"
    # A new workload's DAGs run without a manual step. No DAG catches up.
    "core.dags_are_paused_at_creation" = "False"
    # The files of a release never change, so they are rarely parsed again.
    "dag_processor.min_file_process_interval" = "300"
    "usage_data_collection.enabled"           = "False" # there is no way to the Internet
  }

  network_configuration {
    subnet_ids         = slice(var.subnet_ids, 0, 2)
    security_group_ids = var.security_group_ids
  }

  logging_configuration {
    dag_processing_logs {
      enabled   = true
      log_level = local.log_levels.DAGProcessing
    }

    scheduler_logs {
      enabled   = true
      log_level = local.log_levels.Scheduler
    }

    task_logs {
      enabled   = true
      log_level = local.log_levels.Task
    }

    webserver_logs {
      enabled   = true
      log_level = local.log_levels.WebServer
    }

    worker_logs {
      enabled   = true
      log_level = local.log_levels.Worker
    }
  }

  # MWAA would make the groups without an end of their retention.
  depends_on = [aws_cloudwatch_log_group.this]
}

resource "aws_cloudwatch_log_group" "this" {
  for_each          = local.log_levels
  name              = "airflow-${local.name}-${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.key_arn
}
