# X-Ray: a view for each service, which names itself nightjar-<workload> (serving/telemetry/tracing.py). The service sends its
# segments itself, and its setting TRACE_RATIO decides which requests are traced; it reads no sampling rule.
resource "aws_xray_group" "service" {
  for_each          = toset(keys(var.workloads))
  group_name        = "nightjar-${each.key}"
  filter_expression = "service(\"nightjar-${each.key}\")"
  tags              = { workload = each.key }

  insights_configuration {
    insights_enabled      = true
    notifications_enabled = false # alarms notify
  }
}
