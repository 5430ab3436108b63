# The topic of every message to people: alarms, failed jobs, the budget, and failures that DAGs report.
resource "aws_sns_topic" "alerts" {
  name              = local.topic
  display_name      = "Nightjar"
  kms_master_key_id = var.key_arns["alerts"]
}

locals {
  topic = "nightjar-alerts"

  # Services of AWS that publish, and from which resources of this account.
  publishers = {
    cloudwatch = "arn:aws:cloudwatch:${var.region}:${var.names["account"]}:alarm:nightjar-*"
    events     = "arn:aws:events:${var.region}:${var.names["account"]}:rule/nightjar-*"
    budgets    = "arn:aws:budgets::${var.names["account"]}:*"
  }
}

resource "aws_sns_topic_policy" "alerts" {
  arn = aws_sns_topic.alerts.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        for service, source in local.publishers : {
          Sid       = "Publish${title(service)}"
          Effect    = "Allow"
          Principal = { Service = "${service}.amazonaws.com" }
          Action    = "sns:Publish"
          Resource  = aws_sns_topic.alerts.arn
          Condition = {
            StringEquals = { "aws:SourceAccount" = var.names["account"] }
            ArnLike      = { "aws:SourceArn" = source }
          }
        }
      ],
      [
        {
          Sid       = "TlsOnly"
          Effect    = "Deny"
          Principal = "*"
          Action    = "sns:Publish"
          Resource  = aws_sns_topic.alerts.arn
          Condition = { Bool = { "aws:SecureTransport" = "false" } }
        },
      ],
    )
  })
}

# AWS sends each address a message with a link that confirms the subscription.
resource "aws_sns_topic_subscription" "email" {
  for_each  = var.alert_emails
  topic_arn = aws_sns_topic.alerts.arn
  protocol  = "email"
  endpoint  = each.value
}

resource "aws_budgets_budget" "monthly" {
  name         = "nightjar"
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_unit   = "USD"
  limit_amount = format("%.1f", var.sizes.monthly_budget_usd)

  # What was spent at 80 and 100 %, and what the month will cost if it goes on like this.
  dynamic "notification" {
    for_each = [
      { type = "ACTUAL", threshold = 80 }, { type = "ACTUAL", threshold = 100 }, { type = "FORECASTED", threshold = 100 },
    ]

    content {
      notification_type         = notification.value.type
      threshold                 = notification.value.threshold
      threshold_type            = "PERCENTAGE"
      comparison_operator       = "GREATER_THAN"
      subscriber_sns_topic_arns = [aws_sns_topic.alerts.arn]
    }
  }

  depends_on = [aws_sns_topic_policy.alerts]
}
