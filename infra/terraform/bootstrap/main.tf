# The bucket of Terraform's remote state, once an account, before anything else. Its own state stays on the machine
# that applies it; `terraform import` finds the bucket again where that file is lost.
terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7"
    }
  }
}

variable "region" {
  description = "Region of the bucket."
  type        = string
  default     = "us-east-1"
}

variable "environment" {
  description = "The environment whose account this is, for the tag."
  type        = string

  validation {
    condition     = contains(["dev", "prod"], var.environment)
    error_message = "environment must be dev or prod."
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = { project = "nightjar", environment = var.environment }
  }
}

data "aws_caller_identity" "current" {}

locals {
  account  = data.aws_caller_identity.current.account_id
  policies = "${path.root}/../../policies"
}

resource "aws_kms_key" "state" {
  description             = "Terraform's state"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy = jsonencode(jsondecode(templatefile("${local.policies}/keys/general.json", {
    account  = local.account
    services = "s3.${var.region}.amazonaws.com"
  })))
}

resource "aws_kms_alias" "state" {
  name          = "alias/nightjar-terraform"
  target_key_id = aws_kms_key.state.key_id
}

module "state" {
  source = "../modules/bucket"

  definition = {
    name   = "nightjar-terraform-${local.account}"
    key    = "terraform"
    policy = "tls-only"
    lifecycle = [
      {
        ID                          = "old-versions"
        Status                      = "Enabled"
        Filter                      = { Prefix = "" }
        NoncurrentVersionExpiration = { NoncurrentDays = 365 }
      },
    ]
  }
  key_arn  = aws_kms_key.state.arn
  policies = local.policies
}

output "bucket" {
  description = "Name of the bucket, for `terraform init -backend-config`."
  value       = module.state.name
}
