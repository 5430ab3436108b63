variable "airflow_version" {
  description = "Version of Airflow, one that MWAA offers."
  type        = string
}

variable "environment_class" {
  description = "Size of schedulers, workers and web servers, such as mw1.small."
  type        = string
}

variable "workers" {
  description = "How many workers run at least and at most. MWAA starts and ends them with the number of tasks."
  type        = object({ min = number, max = number })
}

variable "schedulers" {
  description = "Number of schedulers."
  type        = number
}

variable "private_ui" {
  description = "Whether only the VPC reaches the web server. False: it is on the internet, behind IAM."
  type        = bool
  default     = true
}

variable "endpoint_management" {
  description = "Who makes the VPC endpoints of the environment's database and web server: SERVICE (MWAA) or CUSTOMER."
  type        = string
  default     = "SERVICE"

  validation {
    condition     = contains(["SERVICE", "CUSTOMER"], var.endpoint_management)
    error_message = "endpoint_management must be SERVICE or CUSTOMER."
  }
}

variable "bucket" {
  description = "The MWAA bucket."
  type        = object({ name = string, arn = string })
}

variable "role_arn" {
  description = "ARN of the execution role, which is also the role of the DAGs' tasks."
  type        = string
}

variable "key_arn" {
  description = "ARN of the KMS key of the environment. MWAA asks for the same key for the bucket and the log groups."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets. MWAA takes exactly two, in different availability zones."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "MWAA needs two private subnets."
  }
}

variable "security_group_ids" {
  description = "Security groups of schedulers, workers and web servers."
  type        = list(string)
}

variable "settings" {
  description = "The NIGHTJAR_* environment variables (include/settings.py)."
  type        = map(string)

  validation {
    condition     = alltrue([for name, value in var.settings : startswith(name, "NIGHTJAR_") && !strcontains(value, "'")])
    error_message = "The settings must be NIGHTJAR_* variables whose values have no single quote."
  }
}

variable "release" {
  description = "Where the release is in the bucket: keys of plugins.zip and requirements.txt, path of the DAGs. All three are below releases/<code sha>/."
  type = object({
    code_sha         = string
    plugins_key      = string
    requirements_key = string
    dags_path        = string
  })

  validation {
    condition = alltrue([
      for path in [var.release.plugins_key, var.release.requirements_key, var.release.dags_path] :
      startswith(path, "releases/${var.release.code_sha}/")
    ])
    error_message = "plugins_key, requirements_key and dags_path must be below releases/<code_sha>/: plugins and DAGs of two builds do not mix."
  }
}

variable "log_retention_days" {
  description = "Days that the environment's log groups keep."
  type        = number
  default     = 30
}

variable "maintenance_window" {
  description = "When MWAA may update the environment: day and UTC time, at which no nightly run is under way."
  type        = string
  default     = "SUN:12:00"
}
