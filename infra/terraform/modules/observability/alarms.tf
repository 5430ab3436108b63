# infra/definitions/alarms.yaml, once for the platform or once for each workload.
locals {
  # What only an apply makes known has a token while the file is decoded, so that a plan shows everything else.
  tokens = { load_balancer = "(load balancer)", target_group = "(target group)" }
  values = {
    for name in keys(var.workloads) : name => {
      (local.tokens.load_balancer) = var.load_balancer_arn_suffix
      (local.tokens.target_group)  = var.target_group_arn_suffixes[name]
    }
  }

  topic_arn = "arn:aws:sns:${var.region}:${var.names["account"]}:${local.topic}"
  decoded = {
    for name in concat(keys(var.workloads), [""]) : name => yamldecode(templatefile("${var.definitions}/alarms.yaml", merge(
      var.names, local.tokens, {
        topic     = local.topic_arn
        runbooks  = var.runbooks
        workload  = name
        stream    = try(var.workloads[name].stream.name, "")
        max_tasks = tostring(var.sizes.service_max_tasks)
      }
    )))
  }
  alarms = merge(
    { for page, alarm in local.decoded[""].alarms : page => merge(alarm, { workload = null }) if alarm.per == "platform" },
    merge([
      for name in keys(var.workloads) : {
        for page, alarm in local.decoded[name].alarms : "${name}/${page}" => merge(alarm, { workload = name }) if alarm.per == "workload"
      }
    ]...),
  )
  composites = merge([
    for name in keys(var.workloads) : {
      for page, alarm in local.decoded[name].composites : "${name}/${page}" => merge(alarm, { workload = name })
    }
  ]...)
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each            = local.alarms
  alarm_name          = each.value.AlarmName
  alarm_description   = each.value.AlarmDescription
  actions_enabled     = each.value.ActionsEnabled
  alarm_actions       = each.value.AlarmActions
  ok_actions          = each.value.OKActions
  evaluation_periods  = each.value.EvaluationPeriods
  datapoints_to_alarm = each.value.DatapointsToAlarm
  comparison_operator = each.value.ComparisonOperator
  threshold           = each.value.Threshold
  treat_missing_data  = each.value.TreatMissingData

  # Either one metric …
  namespace          = try(each.value.Namespace, null)
  metric_name        = try(each.value.MetricName, null)
  statistic          = try(each.value.Statistic, null)
  extended_statistic = try(each.value.ExtendedStatistic, null)
  period             = try(each.value.Period, null)
  dimensions = can(each.value.Dimensions) ? {
    for dimension in each.value.Dimensions :
    dimension.Name => try(local.values[each.value.workload][dimension.Value], dimension.Value)
  } : null

  # … or an expression over several.
  dynamic "metric_query" {
    for_each = try(each.value.Metrics, [])

    content {
      id          = metric_query.value.Id
      expression  = try(metric_query.value.Expression, null)
      label       = try(metric_query.value.Label, null)
      return_data = metric_query.value.ReturnData

      dynamic "metric" {
        for_each = can(metric_query.value.MetricStat) ? [metric_query.value.MetricStat] : []

        content {
          namespace   = metric.value.Metric.Namespace
          metric_name = metric.value.Metric.MetricName
          period      = metric.value.Period
          stat        = metric.value.Stat
          dimensions = {
            for dimension in metric.value.Metric.Dimensions :
            dimension.Name => try(local.values[each.value.workload][dimension.Value], dimension.Value)
          }
        }
      }
    }
  }

  tags = each.value.workload == null ? {} : { workload = each.value.workload }

  depends_on = [aws_sns_topic_policy.alerts]
}

# One message for several alarms that have no actions of their own (`part_of`).
resource "aws_cloudwatch_composite_alarm" "this" {
  for_each          = local.composites
  alarm_name        = each.value.AlarmName
  alarm_description = each.value.AlarmDescription
  alarm_rule        = each.value.AlarmRule
  actions_enabled   = each.value.ActionsEnabled
  alarm_actions     = each.value.AlarmActions
  ok_actions        = each.value.OKActions
  tags              = { workload = each.value.workload }

  depends_on = [aws_cloudwatch_metric_alarm.this, aws_sns_topic_policy.alerts]
}
