# Development: small, one NAT gateway, nothing that is hard to delete.
environment = "dev"

switches = {
  endpoints   = false # AWS's APIs through the NAT gateway: 22 interface endpoints cost more than it
  object_lock = false # a bucket with locked objects cannot be deleted
}

sizes = {
  availability_zones = 2
  nat_gateways       = 1
  log_retention_days = 14
}
