variable "cidr" {
  description = "Address range of the VPC, a /16."
  type        = string
}

variable "region" {
  description = "Region, for the names of the endpoints' services."
  type        = string
}

variable "names" {
  description = "Placeholders of policies: account, region, bucket names."
  type        = map(string)
}

variable "policies" {
  description = "Path of infra/policies."
  type        = string
}

variable "zone_count" {
  description = "Over how many availability zones the subnets are spread."
  type        = number
}

variable "nat_gateways" {
  description = "How many NAT gateways there are: 0, 1, or one an availability zone."
  type        = number
}

variable "interface_endpoints" {
  description = "Whether AWS's APIs are reached through interface endpoints. Without them, through a NAT gateway."
  type        = bool
}

variable "canaries" {
  description = "Whether a workload has a canary: its deploys call the load balancer's API."
  type        = bool
  default     = false
}

variable "ports" {
  description = "Ports of what listens in the private subnets."
  type = object({
    service  = number
    database = optional(number, 5432)
    cache    = optional(number, 6379)
  })
}

variable "flow_logs" {
  description = "Key and role of the flow logs, and the days they are kept."
  type = object({
    key_arn        = string
    role_arn       = string
    retention_days = number
  })
}
