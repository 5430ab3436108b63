resource "aws_glue_catalog_database" "this" {
  name        = local.database
  description = "The published days of all workloads"
}

# The prediction log of each workload. The tables of published days are made by publishing them.
resource "aws_glue_catalog_table" "predictions" {
  for_each      = local.prediction_tables
  database_name = aws_glue_catalog_database.this.name
  name          = each.value.Name
  description   = each.value.Description
  table_type    = each.value.TableType
  parameters    = each.value.Parameters

  dynamic "partition_keys" {
    for_each = each.value.PartitionKeys

    content {
      name    = partition_keys.value.Name
      type    = partition_keys.value.Type
      comment = partition_keys.value.Comment
    }
  }

  storage_descriptor {
    location      = each.value.StorageDescriptor.Location
    input_format  = each.value.StorageDescriptor.InputFormat
    output_format = each.value.StorageDescriptor.OutputFormat

    ser_de_info {
      serialization_library = each.value.StorageDescriptor.SerdeInfo.SerializationLibrary
    }

    dynamic "columns" {
      for_each = each.value.StorageDescriptor.Columns

      content {
        name    = columns.value.Name
        type    = columns.value.Type
        comment = columns.value.Comment
      }
    }
  }
}

# A setting of the whole account and region, which has no other user: one AWS account an environment.
resource "aws_glue_data_catalog_encryption_settings" "this" {
  data_catalog_encryption_settings {
    connection_password_encryption {
      return_connection_password_encrypted = true
      aws_kms_key_id                       = var.key_arns["lake"]
    }

    encryption_at_rest {
      catalog_encryption_mode = "SSE-KMS"
      sse_aws_kms_key_id      = var.key_arns["lake"]
    }
  }
}

resource "aws_athena_workgroup" "this" {
  name          = local.work_group.Name
  description   = "The queries of the data sets"
  force_destroy = var.disposable

  configuration {
    enforce_workgroup_configuration    = local.work_group.Configuration.EnforceWorkGroupConfiguration
    publish_cloudwatch_metrics_enabled = local.work_group.Configuration.PublishCloudWatchMetricsEnabled
    bytes_scanned_cutoff_per_query     = local.work_group.Configuration.BytesScannedCutoffPerQuery

    result_configuration {
      output_location       = local.work_group.Configuration.ResultConfiguration.OutputLocation
      expected_bucket_owner = var.names["account"]

      encryption_configuration {
        encryption_option = "SSE_KMS"
        kms_key_arn       = var.key_arns[local.work_group.key]
      }
    }
  }

  # Its results are written there.
  depends_on = [module.bucket]
}
