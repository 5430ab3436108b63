# Managed MLflow: training and evaluation jobs write their runs to it. No DAG needs it: what made a version is in the model registry.
resource "aws_sagemaker_mlflow_tracking_server" "this" {
  count                        = var.tracking_server_role_arn == null ? 0 : 1
  tracking_server_name         = "nightjar"
  tracking_server_size         = "Small"
  artifact_store_uri           = "s3://${var.names["artifact"]}/mlflow/"
  role_arn                     = var.tracking_server_role_arn
  automatic_model_registration = false # only the retrain DAG registers versions
}
