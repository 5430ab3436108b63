variable "definitions" {
  description = "Path of infra/definitions."
  type        = string
}

variable "policies" {
  description = "Path of infra/policies."
  type        = string
}

variable "names" {
  description = "Values of the placeholders of definitions: account, region and the bucket names."
  type        = map(string)
}

variable "workloads" {
  description = "Name of a workload → its workload.yaml, decoded."
  type        = any
}

variable "environment" {
  description = "dev, prod or local. Only prod protects the load balancer and the database from deletion."
  type        = string
}

variable "region" {
  description = "AWS region."
  type        = string
}

variable "domain" {
  description = "Public domain whose Route 53 zone exists in the account; the private zone is internal.<domain>."
  type        = string
}

variable "release" {
  description = "Code and images that are deployed. Null: no task definition and no service is made."
  type        = any
  default     = null
}

variable "sizes" {
  description = "How large the environment is: service_min_tasks, service_max_tasks, cache_node_type, cache_nodes, aurora_min_acu, aurora_max_acu, log_retention_days."
  type        = any
}

variable "switches" {
  description = "Parts that an environment can do without: aurora, cache, rotation."
  type        = any
}

variable "local_listener_ports" {
  description = "Workload → port of its own HTTP listener, for a local cloud without DNS. Empty on AWS: host names and TLS."
  type        = map(number)
  default     = {}
}

variable "https_port" {
  description = "Port of the internal HTTPS listener. Another than 443 only for a local cloud whose process may not listen there."
  type        = number
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "database_subnet_ids" {
  description = "Subnets of the cache and the database, without a route out of the VPC."
  type        = list(string)
}

variable "private_subnet_ids" {
  description = "Subnets of the load balancer and the tasks."
  type        = list(string)
}

variable "security_group_ids" {
  description = "Security groups by their purpose: service, load_balancer, cache, database, endpoints."
  type        = map(string)
}

variable "key_arns" {
  description = "ARNs of the KMS keys of infra/definitions/keys.yaml: artifact, database, secrets, logs."
  type        = map(string)
}

variable "role_arns" {
  description = "ARNs of roles; those of a workload are <workload>/ecs-task and <workload>/ecs-execution."
  type        = map(string)
}

variable "role_names" {
  description = "Names of roles, with the same keys."
  type        = map(string)
}

variable "log_bucket" {
  description = "Bucket of the load balancer's access logs."
  type        = string
}
