# One dashboard: the state of all alarms, then the rows of each workload (dashboard_workload.json). Widgets have no
# coordinates, so CloudWatch places them one after another.
locals {
  platform_widgets = [
    {
      type   = "alarm"
      width  = 24
      height = 4
      properties = {
        title  = "alarms"
        alarms = [for alarm in aws_cloudwatch_metric_alarm.this : alarm.arn]
      }
    },
  ]
  workload_widgets = flatten([
    for name, workload in var.workloads : jsondecode(templatefile("${path.module}/dashboard_workload.json", {
      region        = var.region
      workload      = name
      stream        = workload.stream.name
      load_balancer = var.load_balancer_arn_suffix
      target_group  = var.target_group_arn_suffixes[name]
    }))
  ])
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = "nightjar"
  dashboard_body = jsonencode({ widgets = concat(local.platform_widgets, local.workload_widgets) })
}
