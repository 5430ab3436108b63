variable "definitions" {
  description = "Path of infra/definitions."
  type        = string
}

variable "policies" {
  description = "Path of infra/policies."
  type        = string
}

variable "role_names" {
  description = "Names of the platform's roles."
  type        = map(string)
}

variable "workloads" {
  description = "Name of each workload → its decoded workload.yaml."
  type        = any
}

variable "disposable" {
  description = "Whether destroy may delete what buckets, tables and repositories contain."
  type        = bool
}

variable "names" {
  description = "Account, region and the names of the buckets."
  type        = map(string)
}

variable "key_arn" {
  description = "ARN of the KMS key of images."
  type        = string
}

variable "alerts_topic_arn" {
  description = "ARN of the SNS topic that gets the event of each failed job."
  type        = string
}

variable "tracking_server_role_arn" {
  description = "ARN of the role of a managed MLflow tracking server. Null: there is no server."
  type        = string
  default     = null
}
