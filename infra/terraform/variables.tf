variable "environment" {
  description = "Which environment this is. Each has an AWS account of its own, so names are the same in all of them."
  type        = string

  validation {
    condition     = contains(["dev", "prod", "local"], var.environment)
    error_message = "environment must be dev, prod or local (a local cloud on this machine)."
  }
}

variable "region" {
  description = "AWS region of every resource but CloudFront's certificate and web ACL."
  type        = string
  default     = "us-east-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must be the name of a region, such as eu-central-1."
  }
}

variable "account_id" {
  description = "The AWS account of the environment. When set, Terraform refuses to run in another; null: the caller's."
  type        = string
  default     = null

  validation {
    condition     = var.account_id == null || can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id must have 12 digits, in quotes."
  }
}

variable "cost_center" {
  description = "Value of the tag cost_center on every resource."
  type        = string
  default     = "ml-platform"

  validation {
    condition     = can(regex("^[A-Za-z0-9 _.:/=+@-]{1,256}$", var.cost_center))
    error_message = "cost_center must be 1 to 256 letters, digits, spaces or _ . : / = + @ -, as AWS allows in tags."
  }
}

variable "domain" {
  description = "Public domain whose Route 53 zone exists in the account; a workload's host is <workload>.<domain>."
  type        = string
  default     = "nightjar.example.com"

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?[.])+[a-z]{2,}$", var.domain))
    error_message = "domain must be a domain in lower case, such as ml.example.com."
  }
}

variable "alert_emails" {
  description = "Addresses that get alarms and budget alerts. Each has to confirm its subscription."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.alert_emails : can(regex("^[^@[:space:]]+@[^@[:space:]]+$", address))])
    error_message = "alert_emails must be e-mail addresses."
  }
}

variable "bucket_names" {
  description = "Names of buckets (raw, lake, artifact, mwaa, logs) that are not nightjar-<bucket>-<account>."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.bucket_names), ["raw", "lake", "artifact", "mwaa", "logs"])) == 0
    error_message = "The keys of bucket_names must be of raw, lake, artifact, mwaa and logs."
  }
}

variable "vpc_cidr" {
  description = "Address range of the VPC, a /16."
  type        = string
  default     = "10.40.0.0/16"

  validation {
    condition     = can(cidrhost(var.vpc_cidr, 0)) && endswith(var.vpc_cidr, "/16")
    error_message = "vpc_cidr must be an IPv4 range with 16 bits, such as 10.40.0.0/16."
  }
}

variable "switches" {
  description = "Parts that an environment can do without. `rotation` is that of secrets; `trail` is CloudTrail; with `airflow_ui_private`, only the VPC reaches Airflow's UI; `mlflow` is a managed tracking server."
  type = object({
    mwaa               = optional(bool, true)
    airflow_ui_private = optional(bool, true)
    mlflow             = optional(bool, false)
    guardduty          = optional(bool, true)
    config             = optional(bool, true)
    public_edge        = optional(bool, true)
    object_lock        = optional(bool, true)
    nat                = optional(bool, true)
    endpoints          = optional(bool, true)
    aurora             = optional(bool, true)
    cache              = optional(bool, true)
    rotation           = optional(bool, true)
    trail              = optional(bool, true)
  })
  default = {}

  validation {
    condition     = var.switches.nat || var.switches.endpoints
    error_message = "Without NAT gateways and without endpoints, nothing in the private subnets reaches AWS: switch one of nat and endpoints on."
  }
}

variable "sizes" {
  description = "How large an environment is. `kinesis_shards` null: the number in the definitions; `log_retention_days` null: that of each log group."
  type = object({
    availability_zones = optional(number, 2)
    nat_gateways       = optional(number, 1)
    mwaa_class         = optional(string, "mw1.small")
    mwaa_min_workers   = optional(number, 1)
    mwaa_max_workers   = optional(number, 3)
    mwaa_schedulers    = optional(number, 2)
    aurora_min_acu     = optional(number, 0.5)
    aurora_max_acu     = optional(number, 2)
    cache_node_type    = optional(string, "cache.t4g.micro")
    cache_nodes        = optional(number, 1)
    service_min_tasks  = optional(number, 1)
    service_max_tasks  = optional(number, 4)
    kinesis_mode       = optional(string, "PROVISIONED")
    kinesis_shards     = optional(number)
    log_retention_days = optional(number)
    monthly_budget_usd = optional(number, 1500)
  })
  default = {}

  validation {
    condition     = contains([2, 3], var.sizes.availability_zones)
    error_message = "sizes.availability_zones must be 2 or 3: MWAA, Aurora and the load balancer need two."
  }
  validation {
    condition     = var.sizes.nat_gateways >= 1 && var.sizes.nat_gateways <= var.sizes.availability_zones
    error_message = "sizes.nat_gateways must be between 1 and sizes.availability_zones; for none, set switches.nat to false."
  }
  validation {
    condition     = var.sizes.mwaa_min_workers >= 1 && var.sizes.mwaa_min_workers <= var.sizes.mwaa_max_workers && var.sizes.mwaa_max_workers <= 25
    error_message = "sizes.mwaa_min_workers must be at least 1 and at most sizes.mwaa_max_workers, which is at most 25."
  }
  validation {
    condition     = var.sizes.mwaa_schedulers >= 2 && var.sizes.mwaa_schedulers <= 5
    error_message = "sizes.mwaa_schedulers must be between 2 and 5."
  }
  validation {
    condition     = var.sizes.aurora_min_acu <= var.sizes.aurora_max_acu
    error_message = "sizes.aurora_min_acu must not be above sizes.aurora_max_acu."
  }
  validation {
    condition     = var.sizes.service_min_tasks >= 1 && var.sizes.service_min_tasks <= var.sizes.service_max_tasks
    error_message = "sizes.service_min_tasks must be at least 1 and at most sizes.service_max_tasks."
  }
  validation {
    condition     = contains(["ON_DEMAND", "PROVISIONED"], var.sizes.kinesis_mode)
    error_message = "sizes.kinesis_mode must be ON_DEMAND or PROVISIONED."
  }
}

variable "airflow_version" {
  description = "Airflow version of the MWAA environment. MWAA documents 3.3.1 (not yet seen on AWS); 3.0.6 is known to work."
  type        = string
  default     = "3.3.1"

  validation {
    condition     = can(regex("^3[.][0-9]+[.][0-9]+$", var.airflow_version))
    error_message = "airflow_version must be a version of Airflow 3, such as 3.3.1."
  }
}

variable "release" {
  description = "The code and images that are deployed; the delivery writes it to release.auto.tfvars.json. Null (the first apply of an account): nothing that needs code or images is made."
  type = object({
    code_sha           = string
    serving_image      = string
    training_image     = string
    training_gpu_image = optional(string, "")
    plugins_key        = string
    requirements_key   = string
    dags_path          = string
  })
  default = null

  validation {
    condition     = var.release == null ? true : can(regex("^[0-9a-f]{12}(-[0-9a-f]{12})?$", var.release.code_sha))
    error_message = "release.code_sha must be the short commit (12 hexadecimal digits), followed by -<hash> for changed files."
  }
}

variable "local_listener_ports" {
  description = "Only for a local cloud: the load balancer's port of each workload, because a laptop has no DNS for host names."
  type        = map(number)
  default     = {}

  validation {
    condition     = alltrue([for port in values(var.local_listener_ports) : port >= 1024 && port <= 65535])
    error_message = "local_listener_ports must be ports from 1024 to 65535."
  }
}

variable "local_nights_file" {
  description = "Only for a local cloud whose data are replayed: the file of the nights that a person has asked for. Null: nights are due by the clock."
  type        = string
  default     = null
}

variable "https_ports" {
  description = "Ports of the load balancer: `internal` for MWAA, `public` for CloudFront. Others than these only for a local cloud whose process may not listen there."
  type = object({
    internal = optional(number, 443)
    public   = optional(number, 8443)
  })
  default = {}

  validation {
    condition     = var.https_ports.internal != var.https_ports.public
    error_message = "https_ports.internal and https_ports.public must differ: each path has its own port (docs/adr/0027)."
  }
}

variable "github_repository" {
  description = "The repository <owner>/<name> whose GitHub workflows may assume the delivery roles; null: there are none."
  type        = string
  default     = null

  validation {
    condition     = var.github_repository == null || can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.github_repository))
    error_message = "github_repository must be <owner>/<name>, without a wildcard."
  }
}

variable "state_bucket" {
  description = "Bucket of Terraform's remote state, for the delivery roles; null: nightjar-terraform-<account>, as bootstrap makes it."
  type        = string
  default     = null
}
