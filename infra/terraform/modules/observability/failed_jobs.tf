# SageMaker has no metric of failed jobs. It sends an event for each, and the rule's own metric (AWS/Events, TriggeredRules)
# counts them: the alarm training-failed. The event with the reason of the failure is kept in a log group.
locals {
  failed_jobs = "nightjar-training-failed"
}

resource "aws_cloudwatch_event_rule" "failed_jobs" {
  name        = local.failed_jobs
  description = "Jobs of SageMaker that have failed"

  # A job's name begins with nj- (include/pipelines/retrain/jobs.py). Stopped jobs are not failed ones.
  event_pattern = jsonencode({
    source = ["aws.sagemaker"]
    detail-type = [
      "SageMaker Training Job State Change",
      "SageMaker HyperParameter Tuning Job State Change",
      "SageMaker Processing Job State Change",
    ]
    detail = {
      "$or" = [
        { TrainingJobName = [{ prefix = "nj-" }], TrainingJobStatus = ["Failed"] },
        { HyperParameterTuningJobName = [{ prefix = "nj-" }], HyperParameterTuningJobStatus = ["Failed"] },
        { ProcessingJobName = [{ prefix = "nj-" }], ProcessingJobStatus = ["Failed"] },
      ]
    }
  })
}

resource "aws_cloudwatch_log_group" "failed_jobs" {
  name              = "/aws/events/${local.failed_jobs}" # EventBridge delivers to groups with this prefix
  retention_in_days = coalesce(var.sizes.log_retention_days, 90)
  kms_key_id        = var.key_arns["logs"]
}

resource "aws_cloudwatch_log_resource_policy" "failed_jobs" {
  policy_name = local.failed_jobs

  policy_document = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Events"
      Effect    = "Allow"
      Principal = { Service = ["events.amazonaws.com", "delivery.logs.amazonaws.com"] }
      Action    = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource  = "${aws_cloudwatch_log_group.failed_jobs.arn}:*"
      Condition = { ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.failed_jobs.arn } }
    }]
  })
}

resource "aws_cloudwatch_event_target" "failed_jobs" {
  rule = aws_cloudwatch_event_rule.failed_jobs.name
  arn  = aws_cloudwatch_log_group.failed_jobs.arn

  depends_on = [aws_cloudwatch_log_resource_policy.failed_jobs]
}
