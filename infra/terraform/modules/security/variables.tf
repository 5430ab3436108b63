variable "definitions" {
  description = "Path of infra/definitions."
  type        = string
}

variable "policies" {
  description = "Path of infra/policies."
  type        = string
}

variable "names" {
  description = "Placeholders of definitions and policies: account, region, bucket names."
  type        = map(string)
}

variable "workloads" {
  description = "The decoded workload files by name."
  type        = any
}

variable "switches" {
  description = "Which account-wide services are used: guardduty, config, trail."
  type = object({
    guardduty = bool
    config    = bool
    trail     = bool
  })
}

variable "force_destroy" {
  description = "Whether destroy deletes the audit bucket's objects, too."
  type        = bool
  default     = false
}
