locals {
  # Without host names (a local cloud) there are no certificates and no DNS zones.
  named = length(var.local_listener_ports) == 0
  prod  = var.environment == "prod"

  shared = yamldecode(templatefile("${var.definitions}/cluster.yaml", var.names))

  services = {
    for name, workload in var.workloads : name => yamldecode(templatefile("${var.definitions}/service.yaml", merge(
      var.names, {
        workload      = name
        serving_image = try(var.release.serving_image, "none")
        cpu           = tostring(workload.serving.cpu)
        memory        = tostring(workload.serving.memory)
        workers       = tostring(max(1, floor(workload.serving.cpu / 1024))) # 1024 CPU units are one vCPU
      }
    )))
  }
  # Services need an image, which the first apply of an account does not have.
  released = { for name, service in local.services : name => service if var.release != null }

  # Workloads whose deploys try a new version on a share of the requests first (docs/adr/0047).
  canaries = {
    for name, service in local.services : name => merge(service, {
      target_group = merge(service.target_group, service.canary.target_group)
      service      = merge(service.service, service.canary.service)
    }) if try(var.workloads[name].deploy.canary, null) != null
  }

  cache_definitions = {
    for name in keys(var.workloads) :
    name => yamldecode(templatefile("${var.definitions}/cache.yaml", { workload = name }))
  }
  cache = yamldecode(templatefile("${var.definitions}/cache.yaml", { workload = "none" })).replication_group

  # Workloads that read tables of a relational source.
  database_secrets = {
    for name, workload in var.workloads : name => workload.database.secret
    if can(workload.database.secret) && var.switches.aurora
  }

  log_retention_days = coalesce(var.sizes.log_retention_days, 30)
}
