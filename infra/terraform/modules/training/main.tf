# Training: the image repository, the versions of each workload's model, and the event of a job that failed.
locals {
  repository = yamldecode(templatefile("${var.definitions}/repositories.yaml", var.names)).training
}

resource "aws_ecr_repository" "training" {
  name                 = local.repository.name
  image_tag_mutability = "IMMUTABLE"
  force_delete         = var.disposable

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = var.key_arn
  }
}

# Which images are kept: infra/definitions/repositories.yaml.
resource "aws_ecr_lifecycle_policy" "training" {
  repository = aws_ecr_repository.training.name
  policy     = jsonencode({ rules = local.repository.rules })
}

resource "aws_sagemaker_model_package_group" "this" {
  for_each                        = var.workloads
  model_package_group_name        = "nightjar-${each.key}"
  model_package_group_description = each.value.description
  tags                            = { workload = each.key }
}

# Part of the jobs' role only where a workload has a shadow: its job reads the prediction log.
resource "aws_iam_role_policy" "shadow" {
  count  = anytrue([for workload in var.workloads : try(workload.deploy.shadow, null) != null]) ? 1 : 0
  name   = "shadow"
  role   = var.role_names["sagemaker"]
  policy = templatefile("${var.policies}/sagemaker/shadow.json", var.names)
}

# An event of a failed job matches this rule (infra/definitions/failed_jobs.yaml).
locals {
  failed_jobs = yamldecode(templatefile("${var.definitions}/failed_jobs.yaml", var.names)).rule
}

resource "aws_cloudwatch_event_rule" "failed" {
  name          = local.failed_jobs.Name
  description   = local.failed_jobs.Description
  event_pattern = jsonencode(local.failed_jobs.EventPattern)
}

resource "aws_cloudwatch_event_target" "failed" {
  rule       = aws_cloudwatch_event_rule.failed.name
  arn        = var.alerts_topic_arn
  input_path = "$.detail"
}
