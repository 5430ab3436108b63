# What watches over the platform: budget, queries, traces, workflows, databases.
resource "aws_sns_topic" "this" { name = "platform" }

resource "aws_budgets_budget" "this" {
  name         = "platform"
  budget_type  = "COST"
  limit_amount = "100.0"
  limit_unit   = "USD"
  time_unit    = "MONTHLY"
  notification {
    comparison_operator        = "GREATER_THAN"
    threshold                  = 80
    threshold_type             = "PERCENTAGE"
    notification_type          = "FORECASTED"
    subscriber_email_addresses = ["ops@example.com"]
    subscriber_sns_topic_arns  = [aws_sns_topic.this.arn]
  }
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/platform"
  retention_in_days = 30
}

resource "aws_cloudwatch_metric_alarm" "statistic" {
  alarm_name          = "platform-errors"
  alarm_description   = "See docs/runbooks."
  namespace           = "Platform"
  metric_name         = "Errors"
  dimensions          = { Workload = "flights" }
  statistic           = "Sum"
  period              = 60
  comparison_operator = "GreaterThanThreshold"
  threshold           = 1
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]
}

resource "aws_cloudwatch_metric_alarm" "percentile" {
  alarm_name          = "platform-latency"
  namespace           = "Platform"
  metric_name         = "Latency"
  extended_statistic  = "p99"
  unit                = "Milliseconds"
  period              = 300
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 0.5
  evaluation_periods  = 1
}

resource "aws_cloudwatch_metric_alarm" "math" {
  alarm_name          = "platform-error-rate"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 5
  evaluation_periods  = 2
  actions_enabled     = false
  metric_query {
    id          = "rate"
    expression  = "100*FILL(errors,0)/MAX([requests,1])"
    label       = "errors in percent"
    return_data = true
  }
  dynamic "metric_query" {
    for_each = { errors = "Errors", requests = "Requests" }
    content {
      id = metric_query.key
      metric {
        namespace   = "Platform"
        metric_name = metric_query.value
        period      = 60
        stat        = "Sum"
        dimensions  = { Workload = "flights" }
      }
    }
  }
}

resource "aws_cloudwatch_query_definition" "this" {
  name            = "platform/errors"
  log_group_names = [aws_cloudwatch_log_group.this.name]
  query_string    = "fields @timestamp, @message | filter @message like /error/"
}

resource "aws_xray_group" "this" {
  group_name        = "platform"
  filter_expression = "responsetime > 5"
}

resource "aws_xray_sampling_rule" "this" {
  rule_name      = "platform"
  priority       = 9000
  version        = 1
  reservoir_size = 1
  fixed_rate     = 0.05
  url_path       = "*"
  host           = "*"
  http_method    = "*"
  service_type   = "*"
  service_name   = "*"
  resource_arn   = "*"
}

resource "aws_iam_role" "this" {
  name               = "platform"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = ["states.amazonaws.com"] } }] })
}

resource "aws_sfn_state_machine" "this" {
  name       = "platform"
  role_arn   = aws_iam_role.this.arn
  definition = jsonencode({ StartAt = "Done", States = { Done = { Type = "Succeed" } } })
}

resource "aws_s3_account_public_access_block" "this" {
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_vpc" "this" { cidr_block = "10.1.0.0/16" }

resource "aws_subnet" "this" {
  for_each          = { a = "10.1.1.0/24", b = "10.1.2.0/24" }
  vpc_id            = aws_vpc.this.id
  cidr_block        = each.value
  availability_zone = "us-east-1${each.key}"
}

resource "aws_db_subnet_group" "this" {
  name       = "platform"
  subnet_ids = [for subnet in aws_subnet.this : subnet.id]
}

resource "aws_rds_cluster" "this" {
  cluster_identifier          = "platform"
  engine                      = "aurora-postgresql"
  engine_version              = "16.4"
  database_name               = "orders"
  master_username             = "orders"
  manage_master_user_password = true
  storage_encrypted           = true
  db_subnet_group_name        = aws_db_subnet_group.this.name
  skip_final_snapshot         = true
  serverlessv2_scaling_configuration {
    min_capacity = 0.5
    max_capacity = 2
  }
}

resource "aws_secretsmanager_secret" "this" {
  name                    = "platform"
  recovery_window_in_days = 0
}

resource "aws_route53_zone" "this" { name = "example.com" }

resource "aws_route53_record" "this" {
  zone_id = aws_route53_zone.this.zone_id
  name    = "rides.example.com"
  type    = "CNAME"
  ttl     = 60
  records = ["edge.example.com"]
}

resource "aws_ssm_parameter" "this" {
  name  = "/platform/setting"
  type  = "String"
  value = "one"
}

resource "aws_wafv2_web_acl" "this" {
  name  = "platform"
  scope = "REGIONAL"
  default_action {
    allow {}
  }
  rule {
    name     = "rate"
    priority = 1
    action {
      block {}
    }
    statement {
      rate_based_statement {
        limit              = 2000
        aggregate_key_type = "IP"
      }
    }
    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "rate"
      sampled_requests_enabled   = false
    }
  }
  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = "platform"
    sampled_requests_enabled   = false
  }
}
