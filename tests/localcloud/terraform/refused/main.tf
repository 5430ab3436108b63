# Types that the local cloud does not have, or refuses until something acts behind them.
resource "aws_mwaa_environment" "this" {
  name               = "refused"
  dag_s3_path        = "dags/"
  execution_role_arn = "arn:aws:iam::123456789012:role/refused"
  source_bucket_arn  = "arn:aws:s3:::refused"
  network_configuration {
    security_group_ids = ["sg-1"]
    subnet_ids         = ["subnet-1", "subnet-2"]
  }
}

resource "aws_cloudwatch_log_metric_filter" "this" {
  name           = "refused"
  pattern        = "ERROR"
  log_group_name = "/refused"
  metric_transformation {
    name      = "errors"
    namespace = "refused"
    value     = "1"
  }
}

resource "aws_glue_crawler" "this" {
  name          = "refused"
  database_name = "refused"
  role          = "refused"
  schedule      = "cron(0 1 * * ? *)"
  s3_target { path = "s3://refused/" }
}

resource "aws_sagemaker_endpoint" "this" {
  name                 = "refused"
  endpoint_config_name = "refused"
}

resource "aws_redshift_cluster" "this" {
  cluster_identifier  = "refused"
  node_type           = "ra3.large"
  master_username     = "refused"
  master_password     = "Refused-123"
  skip_final_snapshot = true
}

resource "aws_eks_cluster" "this" {
  name     = "refused"
  role_arn = "arn:aws:iam::123456789012:role/refused"
  vpc_config { subnet_ids = ["subnet-1", "subnet-2"] }
}

resource "aws_opensearch_domain" "this" { domain_name = "refused" }

resource "aws_appflow_connector_profile" "this" {
  name            = "refused"
  connector_type  = "Amplitude"
  connection_mode = "Public"
  connector_profile_config {
    connector_profile_credentials {
      amplitude {
        api_key    = "k"
        secret_key = "s"
      }
    }
    connector_profile_properties {
      amplitude {}
    }
  }
}

resource "aws_grafana_workspace" "this" {
  account_access_type      = "CURRENT_ACCOUNT"
  authentication_providers = ["AWS_SSO"]
  permission_type          = "SERVICE_MANAGED"
}
