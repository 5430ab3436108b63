variable "definition" {
  description = "An entry of infra/definitions/buckets.yaml, decoded: name, policy, key, lifecycle, object_lock_days, events."
  type        = any

  validation {
    condition     = alltrue([for field in ["name", "policy", "key", "lifecycle"] : contains(keys(var.definition), field)])
    error_message = "A bucket of infra/definitions/buckets.yaml needs name, policy, key (null: SSE-S3) and lifecycle."
  }
  validation {
    condition = length(setsubtract(keys(var.definition), [
      "name", "policy", "key", "lifecycle", "object_lock_days", "events", "only"
    ])) == 0
    error_message = "The bucket has a field that infra/terraform/modules/bucket does not know: add it there."
  }
  validation {
    condition = alltrue([
      for rule in var.definition.lifecycle : length(setsubtract(keys(rule), [
        "ID", "Status", "Filter", "Transitions", "Expiration", "NoncurrentVersionExpiration",
        "AbortIncompleteMultipartUpload"
      ])) == 0
    ])
    error_message = "A lifecycle rule has a field that infra/terraform/modules/bucket/lifecycle.tf does not know: add it there."
  }
}

variable "key_arn" {
  description = "ARN of the KMS key of the objects. Null: encryption with keys of S3 (SSE-S3), for a bucket to which a service delivers that cannot use a KMS key."
  type        = string
  default     = null

  validation {
    condition     = var.key_arn != null || var.definition.key == null
    error_message = "The bucket's definition names a KMS key, so key_arn is needed."
  }
}

variable "policies" {
  description = "Path of infra/policies; the bucket policy is buckets/<policy>.json below it."
  type        = string
}

variable "policy_variables" {
  description = "Values of the placeholders of the bucket policy besides `bucket`."
  type        = map(string)
  default     = {}
}

variable "log_bucket" {
  description = "Name of the bucket that gets this bucket's access logs, below s3/<bucket>/. Null: none."
  type        = string
  default     = null
}

variable "object_lock" {
  description = "Whether new objects are locked for the definition's object_lock_days. A lock is in governance mode: a role with s3:BypassGovernanceRetention can remove it."
  type        = bool
  default     = false
}

variable "force_destroy" {
  description = "Whether destroy deletes the bucket's objects, too. For environments whose data may be lost."
  type        = bool
  default     = false
}
