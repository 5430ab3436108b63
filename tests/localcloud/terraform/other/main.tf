# Types that the local cloud has and infra/terraform does not use (tests/terraform applies that).
resource "aws_iam_role" "this" {
  name               = "other"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = ["sagemaker.amazonaws.com", "states.amazonaws.com"] } }] })
}

resource "aws_sfn_state_machine" "this" {
  name       = "other"
  role_arn   = aws_iam_role.this.arn
  definition = jsonencode({ StartAt = "Done", States = { Done = { Type = "Succeed" } } })
}

resource "aws_glue_catalog_database" "this" { name = "other" }

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
    location      = "s3://other-round-trip/events/"
    input_format  = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
    output_format = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"
    ser_de_info { serialization_library = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe" }
    columns {
      name = "amount"
      type = "double"
    }
  }
}

resource "aws_sagemaker_model_package_group" "this" { model_package_group_name = "other" }

resource "aws_sagemaker_model_package_group_policy" "this" {
  model_package_group_name = aws_sagemaker_model_package_group.this.model_package_group_name
  resource_policy          = jsonencode({ Version = "2012-10-17", Statement = [{ Sid = "Read", Effect = "Allow", Action = "sagemaker:DescribeModelPackage", Principal = { AWS = "arn:aws:iam::123456789012:root" }, Resource = aws_sagemaker_model_package_group.this.arn }] })
}

resource "aws_sagemaker_model" "this" {
  name               = "other"
  execution_role_arn = aws_iam_role.this.arn
  primary_container { image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/model:1" }
}

resource "aws_sagemaker_endpoint_configuration" "this" {
  name = "other"
  production_variants {
    variant_name           = "a"
    model_name             = aws_sagemaker_model.this.name
    initial_instance_count = 1
    instance_type          = "ml.t2.medium"
  }
}
