# A workload's events.
resource "aws_kinesis_stream" "events" {
  for_each         = var.workloads
  name             = each.value.stream.name
  retention_period = local.streams[each.key].kinesis.RetentionPeriodHours
  shard_count      = var.stream_mode == "PROVISIONED" ? coalesce(var.shards, local.streams[each.key].kinesis.shards) : null
  encryption_type  = "KMS"
  kms_key_id       = var.key_arns[local.streams[each.key].kinesis.key]
  tags             = { workload = each.key }

  stream_mode_details {
    stream_mode = var.stream_mode
  }
}

# A workload's prediction log, from the service to the lake.
resource "aws_kinesis_firehose_delivery_stream" "predictions" {
  for_each    = local.streams
  name        = each.value.firehose.DeliveryStreamName
  destination = "extended_s3"
  tags        = { workload = each.key }

  server_side_encryption {
    enabled  = true
    key_type = "CUSTOMER_MANAGED_CMK"
    key_arn  = var.key_arns[each.value.kinesis.key]
  }

  extended_s3_configuration {
    role_arn            = var.role_arns["${each.key}/firehose"]
    bucket_arn          = module.bucket["lake"].arn
    prefix              = each.value.firehose.ExtendedS3DestinationConfiguration.Prefix
    error_output_prefix = each.value.firehose.ExtendedS3DestinationConfiguration.ErrorOutputPrefix
    buffering_interval  = each.value.firehose.ExtendedS3DestinationConfiguration.BufferingHints.IntervalInSeconds
    buffering_size      = each.value.firehose.ExtendedS3DestinationConfiguration.BufferingHints.SizeInMBs
    kms_key_arn         = var.key_arns[local.buckets.lake.key]

    cloudwatch_logging_options {
      enabled         = true
      log_group_name  = aws_cloudwatch_log_group.firehose[each.key].name
      log_stream_name = aws_cloudwatch_log_stream.firehose[each.key].name
    }
  }
}

resource "aws_cloudwatch_log_group" "firehose" {
  for_each          = local.streams
  name              = each.value.firehose_log_group.logGroupName
  retention_in_days = coalesce(var.log_retention_days, each.value.firehose_log_group.retentionInDays)
  kms_key_id        = var.key_arns["logs"]
  tags              = { workload = each.key }
}

resource "aws_cloudwatch_log_stream" "firehose" {
  for_each       = local.streams
  name           = "delivery"
  log_group_name = aws_cloudwatch_log_group.firehose[each.key].name
}
