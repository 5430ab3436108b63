variable "definitions" {
  description = "Path of infra/definitions."
  type        = string
}

variable "policies" {
  description = "Path of infra/policies."
  type        = string
}

variable "placeholders" {
  description = "Placeholders of policies: account, region, bucket names, key_<name>."
  type        = map(string)
}

variable "environment" {
  description = "The environment; workflow jobs of the GitHub environment of this name may assume the roles that write."
  type        = string
}

variable "github_repository" {
  description = "The repository, <owner>/<name>; null: there are no delivery roles."
  type        = string
}

variable "state_bucket" {
  description = "Bucket of Terraform's remote state."
  type        = string
}
