# X-Ray: which requests are traced where the caller does not decide, and a view for each service. The service names itself
# nightjar-<workload> (serving/telemetry/tracing.py).
resource "aws_xray_sampling_rule" "services" {
  rule_name      = "nightjar"
  priority       = 1000
  version        = 1
  reservoir_size = 1    # the first request of each second …
  fixed_rate     = 0.05 # … and one in twenty of the rest
  service_name   = "nightjar-*"
  service_type   = "*"
  host           = "*"
  http_method    = "*"
  url_path       = "/predict*"
  resource_arn   = "*"
}

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
