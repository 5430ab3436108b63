# Two logs: of what the web ACL blocked or counted, and of every request that CloudFront answered.
resource "aws_cloudwatch_log_group" "web_acl" {
  provider          = aws.edge
  name              = "aws-waf-logs-${local.name}" # WAF asks for the prefix
  retention_in_days = var.log_retention_days
  # The platform's key is in its region, and a log group needs a key of its own region.
  kms_key_id = var.region == "us-east-1" ? var.key_arns["logs"] : null
}

resource "aws_cloudwatch_log_resource_policy" "web_acl" {
  provider    = aws.edge
  policy_name = "${local.name}-web-acl"

  policy_document = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "WebAcl"
      Effect    = "Allow"
      Principal = { Service = "delivery.logs.amazonaws.com" }
      Action    = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource  = "${aws_cloudwatch_log_group.web_acl.arn}:log-stream:*"
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.names["account"] }
        ArnLike      = { "aws:SourceArn" = "arn:aws:logs:us-east-1:${var.names["account"]}:*" }
      }
    }]
  })
}

resource "aws_wafv2_web_acl_logging_configuration" "this" {
  provider                = aws.edge
  resource_arn            = aws_wafv2_web_acl.this.arn
  log_destination_configs = [aws_cloudwatch_log_group.web_acl.arn]

  dynamic "redacted_fields" {
    for_each = toset(["authorization", "cookie", "x-api-key"])

    content {
      single_header {
        name = redacted_fields.value
      }
    }
  }

  logging_filter {
    default_behavior = "DROP" # what was allowed is in CloudFront's log

    filter {
      behavior    = "KEEP"
      requirement = "MEETS_ANY"

      dynamic "condition" {
        for_each = ["BLOCK", "COUNT", "EXCLUDED_AS_COUNT"]

        content {
          action_condition {
            action = condition.value
          }
        }
      }
    }
  }

  depends_on = [aws_cloudwatch_log_resource_policy.web_acl]
}

resource "aws_cloudwatch_log_delivery_source" "distribution" {
  provider     = aws.edge
  name         = local.name
  log_type     = "ACCESS_LOGS"
  resource_arn = aws_cloudfront_distribution.this.arn
}

resource "aws_cloudwatch_log_delivery_destination" "distribution" {
  provider      = aws.edge
  name          = "${local.name}-log-bucket"
  output_format = "json"

  delivery_destination_configuration {
    destination_resource_arn = "${var.log_bucket_arn}/cloudfront"
  }
}

resource "aws_cloudwatch_log_delivery" "distribution" {
  provider                 = aws.edge
  delivery_source_name     = aws_cloudwatch_log_delivery_source.distribution.name
  delivery_destination_arn = aws_cloudwatch_log_delivery_destination.distribution.arn

  s3_delivery_configuration {
    suffix_path                 = "/{yyyy}/{MM}/{dd}/{HH}"
    enable_hive_compatible_path = false
  }
}
