# Development: small, one NAT gateway, nothing that is hard to delete.
environment = "dev"

switches = {
  object_lock = false # a bucket with locked objects cannot be deleted
}

sizes = {
  availability_zones = 2
  nat_gateways       = 1
  log_retention_days = 14
}
