# The startup script sets the environment of schedulers, workers and web servers.
locals {
  startup = join("", concat(
    ["#!/bin/sh\n# Made by Terraform from the settings of the environment.\n"],
    [for name in sort(keys(local.variables)) : "export ${name}='${local.variables[name]}'\n"],
  ))
  variables = merge(var.settings, {
    AIRFLOW_CONN_AWS_DEFAULT = "aws://" # the execution role and the region of the environment
    GX_ANALYTICS_ENABLED     = "false"
  })
}

# Its key has the hash of its content, so a changed setting is a changed path, which updates the environment.
resource "aws_s3_object" "startup" {
  bucket       = var.bucket.name
  key          = "startup/${substr(sha256(local.startup), 0, 16)}.sh"
  content      = local.startup
  content_type = "text/x-shellscript"

  # The environment moves to the new script before the old one is deleted.
  lifecycle {
    create_before_destroy = true
  }
}
