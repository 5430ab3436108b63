# The account and its network: audit, detection, identities, routes, endpoints.
data "aws_caller_identity" "this" {}

data "aws_availability_zones" "this" {
  state = "available"
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

resource "aws_ebs_encryption_by_default" "this" { enabled = true }

resource "aws_kms_key" "this" {
  deletion_window_in_days = 7
  enable_key_rotation     = true
}

resource "aws_kms_alias" "this" {
  name          = "alias/account"
  target_key_id = aws_kms_key.this.key_id
}

resource "aws_guardduty_detector" "this" {
  enable                       = true
  finding_publishing_frequency = "FIFTEEN_MINUTES"
}

resource "aws_guardduty_detector_feature" "this" {
  detector_id = aws_guardduty_detector.this.id
  name        = "S3_DATA_EVENTS"
  status      = "ENABLED"
}

resource "aws_iam_service_linked_role" "this" { aws_service_name = "config.amazonaws.com" }

resource "aws_iam_openid_connect_provider" "this" {
  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

resource "aws_iam_policy" "boundary" {
  name   = "account-boundary"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "*", Resource = "*" }] })
}

resource "aws_iam_role" "this" {
  name                 = "account"
  permissions_boundary = aws_iam_policy.boundary.arn
  max_session_duration = 7200
  assume_role_policy   = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = ["vpc-flow-logs.amazonaws.com", "lambda.amazonaws.com"] } }] })
}

resource "aws_iam_policy" "this" {
  name   = "account"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "logs:PutLogEvents", Resource = "*" }] })
}

resource "aws_iam_role_policy_attachment" "this" {
  role       = aws_iam_role.this.name
  policy_arn = aws_iam_policy.this.arn
}

# --- audit ---
resource "aws_s3_bucket" "this" {
  for_each      = toset(["audit", "logs"])
  bucket        = "account-${each.key}"
  force_destroy = true
}

resource "aws_s3_bucket_logging" "this" {
  bucket        = aws_s3_bucket.this["audit"].id
  target_bucket = aws_s3_bucket.this["logs"].id
  target_prefix = "s3/"
  depends_on    = [aws_s3_bucket_policy.logs]
}

resource "aws_s3_bucket_policy" "logs" {
  bucket = aws_s3_bucket.this["logs"].id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:PutObject", Principal = { Service = "logging.s3.amazonaws.com" }, Resource = "${aws_s3_bucket.this["logs"].arn}/*" }] })
}

resource "aws_s3_bucket_policy" "audit" {
  bucket = aws_s3_bucket.this["audit"].id
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = "s3:GetBucketAcl", Principal = { Service = ["cloudtrail.amazonaws.com", "config.amazonaws.com"] }, Resource = aws_s3_bucket.this["audit"].arn },
    { Effect = "Allow", Action = "s3:PutObject", Principal = { Service = ["cloudtrail.amazonaws.com", "config.amazonaws.com"] }, Resource = "${aws_s3_bucket.this["audit"].arn}/*" },
  ] })
}

resource "aws_s3_bucket_notification" "this" {
  bucket      = aws_s3_bucket.this["audit"].id
  eventbridge = true
}

resource "aws_cloudtrail" "this" {
  name                          = "account"
  s3_bucket_name                = aws_s3_bucket.this["audit"].id
  kms_key_id                    = aws_kms_key.this.arn
  is_multi_region_trail         = true
  include_global_service_events = true
  enable_log_file_validation    = true
  advanced_event_selector {
    name = "management"
    field_selector {
      field  = "eventCategory"
      equals = ["Management"]
    }
  }
  advanced_event_selector {
    name = "objects"
    field_selector {
      field  = "eventCategory"
      equals = ["Data"]
    }
    field_selector {
      field  = "resources.type"
      equals = ["AWS::S3::Object"]
    }
    field_selector {
      field       = "resources.ARN"
      starts_with = ["${aws_s3_bucket.this["logs"].arn}/"]
    }
  }
  depends_on = [aws_s3_bucket_policy.audit]
}

resource "aws_config_configuration_recorder" "this" {
  name     = "account"
  role_arn = aws_iam_service_linked_role.this.arn
  recording_group {
    all_supported                 = true
    include_global_resource_types = true
  }
}

resource "aws_config_delivery_channel" "this" {
  name           = "account"
  s3_bucket_name = aws_s3_bucket.this["audit"].id
  s3_kms_key_arn = aws_kms_key.this.arn
  depends_on     = [aws_config_configuration_recorder.this, aws_s3_bucket_policy.audit]
}

resource "aws_config_configuration_recorder_status" "this" {
  name       = aws_config_configuration_recorder.this.name
  is_enabled = true
  depends_on = [aws_config_delivery_channel.this]
}

# --- network ---
resource "aws_vpc" "this" {
  cidr_block           = "10.2.0.0/16"
  enable_dns_hostnames = true
}

resource "aws_default_security_group" "this" { vpc_id = aws_vpc.this.id }

resource "aws_subnet" "this" {
  for_each          = { for index, name in ["private", "public"] : name => index }
  vpc_id            = aws_vpc.this.id
  cidr_block        = cidrsubnet(aws_vpc.this.cidr_block, 8, each.value)
  availability_zone = data.aws_availability_zones.this.names[0]
}

resource "aws_internet_gateway" "this" { vpc_id = aws_vpc.this.id }

resource "aws_eip" "this" { domain = "vpc" }

resource "aws_nat_gateway" "this" {
  allocation_id = aws_eip.this.id
  subnet_id     = aws_subnet.this["public"].id
  depends_on    = [aws_internet_gateway.this]
}

resource "aws_route_table" "this" {
  for_each = aws_subnet.this
  vpc_id   = aws_vpc.this.id
}

resource "aws_route_table_association" "this" {
  for_each       = aws_subnet.this
  subnet_id      = each.value.id
  route_table_id = aws_route_table.this[each.key].id
}

resource "aws_route" "internet" {
  route_table_id         = aws_route_table.this["public"].id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this.id
}

resource "aws_route" "nat" {
  route_table_id         = aws_route_table.this["private"].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this.id
}

resource "aws_security_group" "this" {
  name                   = "account"
  vpc_id                 = aws_vpc.this.id
  revoke_rules_on_delete = true
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  security_group_id            = aws_security_group.this.id
  referenced_security_group_id = aws_security_group.this.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_vpc_security_group_egress_rule" "gateway" {
  security_group_id = aws_security_group.this.id
  prefix_list_id    = aws_vpc_endpoint.gateway.prefix_list_id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_endpoint" "gateway" {
  vpc_id            = aws_vpc.this.id
  service_name      = "com.amazonaws.us-east-1.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = [aws_route_table.this["private"].id]
  policy            = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:*", Principal = "*", Resource = "*", Condition = { StringEquals = { "aws:PrincipalAccount" = data.aws_caller_identity.this.account_id } } }] })
}

resource "aws_vpc_endpoint" "interface" {
  for_each            = toset(["airflow.api", "monitoring", "sagemaker.runtime", "kinesis-streams", "sns"])
  vpc_id              = aws_vpc.this.id
  service_name        = "com.amazonaws.us-east-1.${each.key}"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = [aws_subnet.this["private"].id]
  security_group_ids  = [aws_security_group.this.id]
}

resource "aws_cloudwatch_log_group" "this" {
  for_each          = toset(["/account/flow", "aws-waf-logs-account"])
  name              = each.key
  retention_in_days = 7
  kms_key_id        = aws_kms_key.this.arn
}

resource "aws_flow_log" "this" {
  vpc_id                   = aws_vpc.this.id
  traffic_type             = "ALL"
  log_destination_type     = "cloud-watch-logs"
  log_destination          = aws_cloudwatch_log_group.this["/account/flow"].arn
  iam_role_arn             = aws_iam_role.this.arn
  max_aggregation_interval = 600
}

# --- events, functions, logs of other services ---
variable "archive" { type = string }

resource "aws_lambda_function" "this" {
  function_name = "account"
  role          = aws_iam_role.this.arn
  runtime       = "python3.12"
  handler       = "main.handler"
  filename      = var.archive
  timeout       = 30
}

resource "aws_cloudwatch_event_rule" "this" {
  name                = "account-hourly"
  schedule_expression = "rate(1 hour)"
}

resource "aws_cloudwatch_event_target" "this" {
  rule  = aws_cloudwatch_event_rule.this.name
  arn   = aws_lambda_function.this.arn
  input = jsonencode({ workload = "flights" })
}

resource "aws_lambda_permission" "this" {
  statement_id  = "events"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this.function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.this.arn
}

resource "aws_cloudwatch_log_resource_policy" "this" {
  policy_name     = "account"
  policy_document = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "logs:PutLogEvents", Principal = { Service = "delivery.logs.amazonaws.com" }, Resource = "*" }] })
}

resource "aws_sns_topic" "this" {
  name              = "account"
  kms_master_key_id = aws_kms_key.this.arn
}

resource "aws_sns_topic_policy" "this" {
  arn    = aws_sns_topic.this.arn
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sns:Publish", Principal = { Service = "cloudwatch.amazonaws.com" }, Resource = aws_sns_topic.this.arn }] })
}

resource "aws_sns_topic_subscription" "this" {
  topic_arn = aws_sns_topic.this.arn
  protocol  = "email"
  endpoint  = "ops@example.com"
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = "account"
  dashboard_body = jsonencode({ widgets = [{ type = "text", width = 6, height = 6, properties = { markdown = "x" } }] })
}

resource "aws_glue_data_catalog_encryption_settings" "this" {
  data_catalog_encryption_settings {
    connection_password_encryption {
      return_connection_password_encrypted = true
      aws_kms_key_id                       = aws_kms_key.this.arn
    }
    encryption_at_rest {
      catalog_encryption_mode = "SSE-KMS"
      sse_aws_kms_key_id      = aws_kms_key.this.arn
    }
  }
}

resource "aws_ecr_repository" "this" {
  name                 = "account"
  image_tag_mutability = "IMMUTABLE"
  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = aws_kms_key.this.arn
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  repository = aws_ecr_repository.this.name
  policy     = jsonencode({ rules = [{ rulePriority = 1, description = "few", selection = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 14 }, action = { type = "expire" } }] })
}

resource "aws_sqs_queue" "this" {
  for_each          = toset(["account", "account-dead"])
  name              = each.key
  kms_master_key_id = aws_kms_key.this.arn
}

resource "aws_sqs_queue_redrive_allow_policy" "this" {
  queue_url            = aws_sqs_queue.this["account-dead"].id
  redrive_allow_policy = jsonencode({ redrivePermission = "byQueue", sourceQueueArns = [aws_sqs_queue.this["account"].arn] })
}

resource "aws_sqs_queue_policy" "this" {
  queue_url = aws_sqs_queue.this["account"].id
  policy    = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sqs:SendMessage", Principal = { Service = "events.amazonaws.com" }, Resource = aws_sqs_queue.this["account"].arn }] })
}

resource "aws_athena_workgroup" "this" {
  name          = "account"
  force_destroy = true
  configuration {
    enforce_workgroup_configuration = true
    bytes_scanned_cutoff_per_query  = 10737418240
    result_configuration {
      output_location = "s3://${aws_s3_bucket.this["logs"].id}/athena/"
      encryption_configuration {
        encryption_option = "SSE_KMS"
        kms_key_arn       = aws_kms_key.this.arn
      }
    }
  }
}
