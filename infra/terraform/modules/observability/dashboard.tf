# One dashboard: the state of all alarms, then the rows of each workload (infra/definitions/dashboard.yaml). Widgets have no
# coordinates, so CloudWatch places them one after another.
locals {
  platform_widgets = [
    {
      type   = "alarm"
      width  = 24
      height = 4
      properties = {
        title = "alarms"
        alarms = concat(
          [for alarm in aws_cloudwatch_metric_alarm.this : alarm.arn],
          [for alarm in aws_cloudwatch_composite_alarm.this : alarm.arn],
        )
      }
    },
  ]
  workload_widgets = flatten([
    for name, workload in var.workloads : yamldecode(templatefile("${var.definitions}/dashboard.yaml", merge(var.names, {
      workload      = name
      stream        = workload.stream.name
      load_balancer = var.load_balancer_arn_suffix
      target_group  = var.target_group_arn_suffixes[name]
    }))).widgets
  ])
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = "nightjar"
  dashboard_body = jsonencode({ widgets = concat(local.platform_widgets, local.workload_widgets) })
}
