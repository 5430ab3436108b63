# The deadline check (infra/definitions/deadlines.yaml): every few minutes a function tells, once, of each night that has
# not ended. It runs outside Airflow, so it also tells of nights that Airflow never began. The release's archive has the
# schedules of the workloads.
locals {
  deadlines = yamldecode(templatefile("${var.definitions}/deadlines.yaml", var.names))
}

resource "aws_lambda_function" "deadlines" {
  #checkov:skip=CKV_AWS_50:it makes a few requests a check; its log has their outcome, so a trace would add nothing
  #checkov:skip=CKV_AWS_115:a new account has 10 concurrent executions and lets none be reserved; a second check at once tells nobody twice
  #checkov:skip=CKV_AWS_116:a failed check publishes no metric, and the alarm treats that as breaching
  #checkov:skip=CKV_AWS_117:it reads AWS APIs only, and must not depend on the network that it watches
  #checkov:skip=CKV_AWS_173:its environment holds names, no secret
  #checkov:skip=CKV_AWS_272:the code is an immutable object that only the delivery role may write
  count         = local.has_code
  function_name = local.deadlines.FunctionName
  description   = local.deadlines.Description
  role          = var.role_arns["deadlines"]
  runtime       = local.deadlines.Runtime
  architectures = local.deadlines.Architectures
  handler       = local.deadlines.Handler
  s3_bucket     = module.bucket["artifact"].name
  s3_key        = "code/${var.code_sha}/deadlines.zip"
  memory_size   = local.deadlines.MemorySize
  timeout       = local.deadlines.Timeout

  environment {
    variables = merge(
      {
        STATE_TABLE = aws_dynamodb_table.state.name
        TOPIC_ARN   = var.alerts_topic_arn
        RUNBOOK     = "${var.runbooks}/night-deadline.md"
      },
      var.nights_file == null ? {} : { NIGHTS_FILE = var.nights_file },
    )
  }

  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.deadlines.name
  }
}

resource "aws_cloudwatch_log_group" "deadlines" {
  name              = "/aws/lambda/${local.deadlines.FunctionName}"
  retention_in_days = coalesce(var.log_retention_days, 30)
  kms_key_id        = var.key_arns["logs"]
}

resource "aws_cloudwatch_event_rule" "deadlines" {
  count               = local.has_code
  name                = local.deadlines.FunctionName
  description         = "Starts the deadline check"
  schedule_expression = local.deadlines.ScheduleExpression
}

resource "aws_cloudwatch_event_target" "deadlines" {
  count = local.has_code
  rule  = aws_cloudwatch_event_rule.deadlines[0].name
  arn   = aws_lambda_function.deadlines[0].arn
}

resource "aws_lambda_permission" "deadlines" {
  count         = local.has_code
  statement_id  = "Schedule"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.deadlines[0].function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.deadlines[0].arn
}
