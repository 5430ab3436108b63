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
  description = "AWS region of the platform. The web ACL, the certificate and their logs are in us-east-1."
  type        = string
}

variable "domain" {
  description = "Public domain; a workload's host is <workload>.<domain>."
  type        = string
}

variable "public_zone_id" {
  description = "Id of the domain's public Route 53 zone."
  type        = string
}

variable "vpc_id" {
  description = "The VPC of the load balancer."
  type        = string
}

variable "load_balancer" {
  description = "The internal load balancer: arn, dns_name, security_group_id, and the ARN of its certificate for *.<domain>."
  type = object({
    arn               = string
    dns_name          = string
    security_group_id = string
    certificate_arn   = string
  })
}

variable "https_port" {
  description = "Port of the public HTTPS listener, to which only CloudFront connects."
  type        = number
}

variable "target_group_arns" {
  description = "Workload → ARN of its target group."
  type        = map(string)
}

variable "canary_target_group_arns" {
  description = "Workload with a canary → ARN of the target group of its tasks."
  type        = map(string)
}

variable "key_arns" {
  description = "ARNs of the KMS keys of infra/definitions/keys.yaml: logs."
  type        = map(string)
}

variable "log_bucket_arn" {
  description = "ARN of the bucket of access logs."
  type        = string
}

variable "requests_per_5_minutes" {
  description = "Requests of one address within five minutes; further ones are answered with 429. The service limits callers by their API key (docs/api-keys.md)."
  type        = number
  default     = 10000

  validation {
    condition     = var.requests_per_5_minutes >= 10 && var.requests_per_5_minutes <= 2000000000
    error_message = "requests_per_5_minutes must be from 10 to 2000000000, as WAF requires."
  }
}

variable "log_retention_days" {
  description = "Days for which the web ACL's log is kept."
  type        = number
  default     = 90
}

variable "internet_gateway" {
  description = "Whether to make the VPC's internet gateway, because the network has none. CloudFront connects only to a VPC that has one; no route leads to it."
  type        = bool
}
