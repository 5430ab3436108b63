# Production: three zones, no way to the Internet (AWS's APIs through endpoints), room to scale.
environment = "prod"

switches = {
  nat = false # to have one in each zone: true, and sizes.nat_gateways = 3
}

sizes = {
  availability_zones = 3
  mwaa_class         = "mw1.medium"
  mwaa_min_workers   = 2
  mwaa_max_workers   = 10
  aurora_min_acu     = 1
  aurora_max_acu     = 16
  cache_node_type    = "cache.m7g.large"
  cache_nodes        = 2
  service_min_tasks  = 2
  service_max_tasks  = 20
  kinesis_mode       = "ON_DEMAND"
  monthly_budget_usd = 5000
}
