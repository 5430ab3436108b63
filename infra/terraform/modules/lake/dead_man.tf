# The dead-man check: every hour a function reads when each workload last published a day and registered a model, and
# publishes the age as a metric. A failed run raises an alarm of its own; this one notices that there are no runs.
locals {
  dead_man = "nightjar-dead-man"
  has_code = var.code_sha == null ? 0 : 1
}

resource "aws_lambda_function" "dead_man" {
  #checkov:skip=CKV_AWS_50:it makes three requests an hour; its log has their outcome, so a trace would add nothing
  #checkov:skip=CKV_AWS_115:a new account has 10 concurrent executions and lets none be reserved; the schedule starts one an hour
  #checkov:skip=CKV_AWS_116:a failed check publishes no metric, and the alarm treats that as breaching
  #checkov:skip=CKV_AWS_117:it reads AWS APIs only, and must not depend on the network that it watches
  #checkov:skip=CKV_AWS_173:its environment holds names, no secret
  #checkov:skip=CKV_AWS_272:the code is an immutable object that only the delivery role may write
  count         = local.has_code
  function_name = local.dead_man
  description   = "Publishes how long ago each workload published a day and registered a model"
  role          = var.role_arns["dead-man"]
  runtime       = "python3.13"
  architectures = ["arm64"]
  handler       = "infra.lambdas.dead_man.main.handler"
  s3_bucket     = module.bucket["artifact"].name
  s3_key        = "code/${var.code_sha}/dead_man.zip"
  memory_size   = 256
  timeout       = 60

  environment {
    variables = {
      STATE_TABLE = aws_dynamodb_table.state.name
      WORKLOADS   = jsonencode(keys(var.workloads))
    }
  }

  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.dead_man.name
  }
}

resource "aws_cloudwatch_log_group" "dead_man" {
  name              = "/aws/lambda/${local.dead_man}"
  retention_in_days = coalesce(var.log_retention_days, 30)
  kms_key_id        = var.key_arns["logs"]
}

resource "aws_cloudwatch_event_rule" "dead_man" {
  count               = local.has_code
  name                = local.dead_man
  description         = "Starts the dead-man check"
  schedule_expression = "rate(1 hour)"
}

resource "aws_cloudwatch_event_target" "dead_man" {
  count = local.has_code
  rule  = aws_cloudwatch_event_rule.dead_man[0].name
  arn   = aws_lambda_function.dead_man[0].arn
}

resource "aws_lambda_permission" "dead_man" {
  count         = local.has_code
  statement_id  = "Schedule"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.dead_man[0].function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.dead_man[0].arn
}
