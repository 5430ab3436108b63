locals {
  # The limit is the same for all workloads, so any of them may stand for the placeholders.
  any     = { workload = "any", serving_image = "any", cpu = "0", memory = "0", workers = "0" }
  service = yamldecode(templatefile("${var.definitions}/service.yaml", merge(var.names, local.any)))
  environment = {
    for variable in local.service.task_definition.containerDefinitions[0].environment : variable.name => variable.value
  }
  max_body_bytes = local.environment["MAX_BODY_BYTES"]

  # AWS allows five values in the conditions of a rule: one host and four routes.
  rules = merge([
    for workload, host in local.hosts : {
      for number, routes in chunklist(local.public_routes, 4) :
      "${workload}/${number}" => { workload = workload, host = host, routes = routes }
    }
  ]...)

  hosts         = { for name in keys(var.workloads) : name => "${name}.${var.domain}" }
  public_routes = yamldecode(templatefile("${var.definitions}/cluster.yaml", var.names)).public_routes
  name          = "nightjar"
}
