# The Glue jobs, as infra/definitions/glue.yaml has them, and the log groups of all jobs.
locals {
  # An immutable prefix: a job's script, modules and libraries are of one build.
  code = "s3://${var.names["artifact"]}/code/${coalesce(var.code_sha, "none")}/"
  jobs = yamldecode(templatefile("${var.definitions}/glue.yaml", merge(var.names, { code = local.code }))).jobs
  logs = yamldecode(templatefile("${var.definitions}/logs.yaml", var.names))
}

resource "aws_glue_job" "this" {
  for_each               = var.code_sha == null ? {} : { for job in local.jobs : job.Name => job }
  name                   = each.key
  role_arn               = var.role_arn
  glue_version           = each.value.GlueVersion
  worker_type            = each.value.WorkerType
  number_of_workers      = each.value.NumberOfWorkers
  timeout                = each.value.Timeout
  max_retries            = each.value.MaxRetries
  default_arguments      = each.value.DefaultArguments
  security_configuration = aws_glue_security_configuration.this.name
  connections            = aws_glue_connection.network[*].name

  command {
    name            = each.value.Command.Name
    script_location = each.value.Command.ScriptLocation
    python_version  = each.value.Command.PythonVersion
  }

  execution_property {
    max_concurrent_runs = each.value.ExecutionProperty.MaxConcurrentRuns
  }

  # A run writes its log there; a group that Glue makes itself has no key and keeps its lines for ever.
  depends_on = [aws_cloudwatch_log_group.jobs]
}

resource "aws_glue_security_configuration" "this" {
  #checkov:skip=CKV_AWS_99:the log groups have the key themselves; a mode here makes Glue write to groups of other names
  name = "nightjar"

  encryption_configuration {
    cloudwatch_encryption {
      cloudwatch_encryption_mode = "DISABLED"
    }

    job_bookmarks_encryption {
      job_bookmarks_encryption_mode = "CSE-KMS"
      kms_key_arn                   = var.key_arns["lake"]
    }

    s3_encryption {
      s3_encryption_mode = "SSE-KMS"
      kms_key_arn        = var.key_arns["lake"]
    }
  }
}

# With it, the workers of a job are in a private subnet and reach AWS through its endpoints.
resource "aws_glue_connection" "network" {
  count           = var.network == null ? 0 : 1
  name            = "nightjar-network"
  description     = "The private subnet of the jobs"
  connection_type = "NETWORK"

  physical_connection_requirements {
    subnet_id              = var.network.subnet_id
    availability_zone      = var.network.availability_zone
    security_group_id_list = var.network.security_group_ids
  }
}

resource "aws_cloudwatch_log_group" "jobs" {
  for_each          = { for group in local.logs.groups : group.logGroupName => group.retentionInDays }
  name              = each.key
  retention_in_days = coalesce(var.log_retention_days, each.value)
  kms_key_id        = var.key_arns[local.logs.key]
}
