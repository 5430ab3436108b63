variable "definitions" {
  description = "Path of infra/definitions."
  type        = string
}

variable "policies" {
  description = "Path of infra/policies."
  type        = string
}

variable "names" {
  description = "Placeholders of definitions and policies: account, region and the names of the buckets."
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

variable "key_arns" {
  description = "ARN of each KMS key by its name in infra/definitions/keys.yaml."
  type        = map(string)
}

variable "role_arns" {
  description = "ARN of each role: `dead-man`, `deadlines`, and `<workload>/firehose` of each workload."
  type        = map(string)
}

variable "object_lock" {
  description = "Whether objects of raw are locked (governance mode) for the days that its definition says."
  type        = bool
}

variable "stream_mode" {
  description = "Capacity mode of the Kinesis streams: ON_DEMAND or PROVISIONED."
  type        = string

  validation {
    condition     = contains(["ON_DEMAND", "PROVISIONED"], var.stream_mode)
    error_message = "stream_mode must be ON_DEMAND or PROVISIONED."
  }
}

variable "shards" {
  description = "Shards of each stream in mode PROVISIONED. Null: the number in infra/definitions/streams.yaml."
  type        = number
  default     = null
}

variable "log_retention_days" {
  description = "Days that log groups keep. Null: the days of each definition."
  type        = number
  default     = null
}

variable "code_sha" {
  description = "The build whose code is deployed, below code/<sha>/ of the artifact bucket. Null: no code yet, so no function."
  type        = string
  default     = null
}

variable "alerts_topic_arn" {
  description = "Topic of messages to people."
  type        = string
}

variable "runbooks" {
  description = "Where docs/runbooks can be read: the deadline check's messages name a page there."
  type        = string
}

variable "nights_file" {
  description = "File of the nights that a person has asked for, where data are replayed. Null: nights are due by the clock."
  type        = string
  default     = null
}
