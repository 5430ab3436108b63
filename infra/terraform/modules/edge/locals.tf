locals {
  none       = { workload = "none", serving_image = "none", cpu = "0", memory = "0", workers = "0" }
  definition = yamldecode(templatefile("${var.definitions}/service.yaml", merge(var.names, local.none)))

  hosts         = { for name in keys(var.workloads) : name => "${name}.${var.domain}" }
  public_routes = local.definition.public_routes
  name          = "nightjar"
}
