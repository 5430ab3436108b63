# File drops: an object below s3://<lake>/drops/<workload>/ becomes a message in the workload's queue.
locals {
  drops = {
    for workload in keys(var.workloads) :
    workload => yamldecode(templatefile("${var.definitions}/drops.yaml", merge(var.names, { workload = workload })))
  }
}

resource "aws_cloudwatch_event_rule" "drop" {
  for_each      = local.drops
  name          = each.value.rule.Name
  description   = each.value.rule.Description
  tags          = { workload = each.key }
  event_pattern = jsonencode(each.value.rule.EventPattern)
}

resource "aws_cloudwatch_event_target" "drop" {
  for_each = local.drops
  rule     = aws_cloudwatch_event_rule.drop[each.key].name
  arn      = aws_sqs_queue.drop[each.key].arn

  # An event that the queue does not take is not lost either.
  dead_letter_config {
    arn = aws_sqs_queue.dead_drop[each.key].arn
  }
}

resource "aws_sqs_queue" "drop" {
  for_each                   = local.drops
  name                       = each.value.queue.QueueName
  kms_master_key_id          = var.key_arns[each.value.key]
  message_retention_seconds  = each.value.queue.Attributes.MessageRetentionPeriod
  visibility_timeout_seconds = each.value.queue.Attributes.VisibilityTimeout
  receive_wait_time_seconds  = each.value.queue.Attributes.ReceiveMessageWaitTimeSeconds
  tags                       = { workload = each.key }

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_drop[each.key].arn
    maxReceiveCount     = each.value.max_receive_count
  })
}

resource "aws_sqs_queue" "dead_drop" {
  for_each                  = local.drops
  name                      = each.value.dead_letter_queue.QueueName
  kms_master_key_id         = var.key_arns[each.value.key]
  message_retention_seconds = each.value.dead_letter_queue.Attributes.MessageRetentionPeriod
  tags                      = { workload = each.key }
}

resource "aws_sqs_queue_redrive_allow_policy" "dead_drop" {
  for_each  = local.drops
  queue_url = aws_sqs_queue.dead_drop[each.key].url

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.drop[each.key].arn]
  })
}

resource "aws_sqs_queue_policy" "drop" {
  for_each  = local.drops
  queue_url = aws_sqs_queue.drop[each.key].url
  policy    = local.queue_policies[each.key].queue
}

resource "aws_sqs_queue_policy" "dead_drop" {
  for_each  = local.drops
  queue_url = aws_sqs_queue.dead_drop[each.key].url
  policy    = local.queue_policies[each.key].dead
}

locals {
  # Only the workload's rule may send, and only over TLS.
  queue_policies = {
    for workload in keys(local.drops) : workload => {
      for queue, arn in { queue = aws_sqs_queue.drop[workload].arn, dead = aws_sqs_queue.dead_drop[workload].arn } :
      queue => templatefile("${var.policies}/queues/drops.json", merge(var.names, {
        queue = arn
        rule  = aws_cloudwatch_event_rule.drop[workload].arn
      }))
    }
  }
}
