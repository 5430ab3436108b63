# Streams, catalog, jobs, models and events.
locals {
  trust = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = ["glue.amazonaws.com", "lambda.amazonaws.com", "sagemaker.amazonaws.com", "firehose.amazonaws.com"] } }] })
}

resource "aws_iam_role" "this" {
  name               = "lake"
  assume_role_policy = local.trust
}

resource "aws_kms_key" "this" { deletion_window_in_days = 7 }

resource "aws_kinesis_stream" "this" {
  name             = "lake"
  shard_count      = 1
  retention_period = 168
  encryption_type  = "KMS"
  kms_key_id       = aws_kms_key.this.arn
  tags             = { given = "at create" }
}

resource "aws_s3_bucket" "this" { bucket = "lake-round-trip" }

resource "aws_kinesis_firehose_delivery_stream" "this" {
  name        = "lake"
  destination = "extended_s3"
  extended_s3_configuration {
    role_arn           = aws_iam_role.this.arn
    bucket_arn         = aws_s3_bucket.this.arn
    prefix             = "log/"
    buffering_size     = 5
    buffering_interval = 60
  }
}

resource "aws_glue_catalog_database" "this" {
  name        = "terraform_lake"
  description = "tables"
}

resource "aws_glue_catalog_table" "this" {
  name          = "events"
  database_name = aws_glue_catalog_database.this.name
  table_type    = "EXTERNAL_TABLE"
  parameters    = { classification = "parquet" }
  partition_keys {
    name = "day"
    type = "string"
  }
  storage_descriptor {
    location      = "s3://lake-round-trip/events/"
    input_format  = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
    output_format = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"
    ser_de_info { serialization_library = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe" }
    columns {
      name = "amount"
      type = "double"
    }
  }
}

resource "aws_glue_security_configuration" "this" {
  name = "lake"
  encryption_configuration {
    cloudwatch_encryption { cloudwatch_encryption_mode = "DISABLED" }
    job_bookmarks_encryption { job_bookmarks_encryption_mode = "DISABLED" }
    s3_encryption {
      s3_encryption_mode = "SSE-KMS"
      kms_key_arn        = aws_kms_key.this.arn
    }
  }
}

resource "aws_glue_connection" "this" {
  name            = "lake"
  connection_type = "JDBC"
  connection_properties = {
    JDBC_CONNECTION_URL = "jdbc:postgresql://example.com:5432/orders"
    SECRET_ID           = "orders"
  }
}

resource "aws_glue_job" "this" {
  name                   = "lake"
  role_arn               = aws_iam_role.this.arn
  glue_version           = "5.0"
  worker_type            = "G.1X"
  number_of_workers      = 2
  timeout                = 30
  security_configuration = aws_glue_security_configuration.this.name
  command { script_location = "s3://lake-round-trip/job.py" }
  execution_property { max_concurrent_runs = 3 }
}

resource "aws_sagemaker_model_package_group" "this" {
  model_package_group_name        = "lake"
  model_package_group_description = "models"
}

resource "aws_sagemaker_model_package_group_policy" "this" {
  model_package_group_name = aws_sagemaker_model_package_group.this.model_package_group_name
  resource_policy          = jsonencode({ Version = "2012-10-17", Statement = [{ Sid = "Read", Effect = "Allow", Action = "sagemaker:DescribeModelPackage", Principal = { AWS = "arn:aws:iam::123456789012:root" }, Resource = aws_sagemaker_model_package_group.this.arn }] })
}

resource "aws_sagemaker_model" "this" {
  name               = "lake"
  execution_role_arn = aws_iam_role.this.arn
  primary_container { image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/model:1" }
}

resource "aws_sagemaker_endpoint_configuration" "this" {
  name = "lake"
  production_variants {
    variant_name           = "a"
    model_name             = aws_sagemaker_model.this.name
    initial_instance_count = 1
    instance_type          = "ml.t2.medium"
  }
}

resource "aws_sqs_queue" "this" { name = "lake" }

resource "aws_cloudwatch_event_rule" "this" {
  name          = "lake"
  event_pattern = jsonencode({ source = ["aws.s3"] })
}

resource "aws_cloudwatch_event_target" "this" {
  rule = aws_cloudwatch_event_rule.this.name
  arn  = aws_sqs_queue.this.arn
  dead_letter_config { arn = aws_sqs_queue.this.arn }
  retry_policy {
    maximum_retry_attempts       = 3
    maximum_event_age_in_seconds = 600
  }
}

variable "archive" { type = string }

resource "aws_lambda_function" "this" {
  function_name                  = "lake"
  role                           = aws_iam_role.this.arn
  runtime                        = "python3.12"
  handler                        = "main.handler"
  filename                       = var.archive
  reserved_concurrent_executions = 1
  dead_letter_config { target_arn = aws_sqs_queue.this.arn }
  tracing_config { mode = "Active" }
}

resource "aws_dynamodb_table" "this" {
  name         = "lake"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"
  attribute {
    name = "id"
    type = "S"
  }
  point_in_time_recovery { enabled = true }
  server_side_encryption {
    enabled     = true
    kms_key_arn = aws_kms_key.this.arn
  }
}

resource "aws_ecr_repository" "this" {
  name                 = "lake"
  image_tag_mutability = "IMMUTABLE"
  image_scanning_configuration { scan_on_push = true }
}
