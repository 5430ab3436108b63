variable "definitions" {
  description = "Path of infra/definitions."
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

variable "region" {
  description = "AWS region."
  type        = string
}

variable "sizes" {
  description = "How large the environment is: service_max_tasks, monthly_budget_usd."
  type        = any
}

variable "alert_emails" {
  description = "Addresses that get alarms and budget alerts."
  type        = set(string)
}

variable "runbooks" {
  description = "Where docs/runbooks can be read: the text of every alarm names its page there."
  type        = string
}

variable "key_arns" {
  description = "ARNs of the KMS keys of infra/definitions/keys.yaml: alerts."
  type        = map(string)
}

variable "load_balancer_arn_suffix" {
  description = "The load balancer as a dimension of CloudWatch metrics."
  type        = string
}

variable "target_group_arn_suffixes" {
  description = "Workload → its target group as a dimension of CloudWatch metrics."
  type        = map(string)
}
