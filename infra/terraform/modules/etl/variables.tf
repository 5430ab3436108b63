variable "definitions" {
  description = "Path of infra/definitions."
  type        = string
}

variable "names" {
  description = "Placeholders of definitions: account, region and the names of the buckets."
  type        = map(string)
}

variable "key_arns" {
  description = "ARN of each KMS key by its name in infra/definitions/keys.yaml."
  type        = map(string)
}

variable "role_arn" {
  description = "ARN of the role of the Glue jobs."
  type        = string
}

variable "network" {
  description = "Where the jobs' network interfaces are: a private subnet, its availability zone, and security groups that let the workers of a job reach each other. Null: Glue's own network."
  type = object({
    subnet_id          = string
    availability_zone  = string
    security_group_ids = list(string)
  })
  default = null
}

variable "log_retention_days" {
  description = "Days that log groups keep. Null: the days of each definition."
  type        = number
  default     = null
}

variable "code_sha" {
  description = "The build whose code is deployed, below code/<sha>/ of the artifact bucket. Null: no code yet, so no jobs."
  type        = string
  default     = null
}
