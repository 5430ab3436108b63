# Questions that the runbooks ask, ready in Logs Insights.
locals {
  service_queries = {
    errors  = "fields @timestamp, request_id, path, status, message, traceback | filter level = 'ERROR' | sort @timestamp desc | limit 100"
    refused = "filter logger = 'serving.access' and status >= 400 and status < 500 | stats count(*) by status, refusal, path, caller | sort count(*) desc"
    slow    = "filter logger = 'serving.access' | fields @timestamp, request_id, path, milliseconds, cache | sort milliseconds desc | limit 100"
    status  = "filter logger = 'serving.access' | stats count(*) by status, bin(5m)"
  }
  queries = {
    for pair in setproduct(keys(var.workloads), keys(local.service_queries)) :
    "${pair[0]}/${pair[1]}" => { group = "/ecs/nightjar-${pair[0]}", text = local.service_queries[pair[1]] }
  }
}

resource "aws_cloudwatch_query_definition" "service" {
  for_each        = local.queries
  name            = "nightjar/${each.key}"
  log_group_names = [each.value.group]
  query_string    = each.value.text
}
