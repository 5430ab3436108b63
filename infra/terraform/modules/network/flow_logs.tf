resource "aws_cloudwatch_log_group" "flow" {
  name              = "/nightjar/flow-logs"
  retention_in_days = var.flow_logs.retention_days
  kms_key_id        = var.flow_logs.key_arn
}

resource "aws_flow_log" "this" {
  vpc_id                   = aws_vpc.this.id
  traffic_type             = "ALL"
  log_destination_type     = "cloud-watch-logs"
  log_destination          = aws_cloudwatch_log_group.flow.arn
  iam_role_arn             = var.flow_logs.role_arn
  max_aggregation_interval = 600
  tags                     = { Name = "nightjar" }
}
