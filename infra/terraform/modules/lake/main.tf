# The lake: buckets, streams, state, catalog and query engine, file drops, and the check that all of it is still in use.
locals {
  buckets    = yamldecode(templatefile("${var.definitions}/buckets.yaml", var.names))
  table      = yamldecode(templatefile("${var.definitions}/state_table.yaml", var.names))
  work_group = yamldecode(templatefile("${var.definitions}/athena.yaml", var.names))
  # The catalog database is in the file of the Glue jobs, which has a placeholder for their code.
  database = yamldecode(templatefile("${var.definitions}/glue.yaml", merge(var.names, { code = "" }))).database
  prediction_tables = {
    for workload in keys(var.workloads) :
    workload => yamldecode(templatefile("${var.definitions}/predictions.yaml", merge(var.names, { workload = workload }))).table
  }
  streams = {
    for workload in keys(var.workloads) :
    workload => yamldecode(templatefile("${var.definitions}/streams.yaml", merge(var.names, { workload = workload })))
  }
}
