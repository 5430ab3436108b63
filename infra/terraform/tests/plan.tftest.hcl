# `terraform test -var-file=environments/prod.tfvars`: a plan of everything without AWS. The tests in tests/terraform read
# the same plan for the rules that need more than an expression.
mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_availability_zones" {
    defaults = { names = ["us-east-1a", "us-east-1b", "us-east-1c", "us-east-1d"] }
  }
  # Part of the task definitions, which the rules read.
  mock_resource "aws_elasticache_replication_group" {
    defaults        = { primary_endpoint_address = "nightjar.cache.example.com" }
    override_during = plan
  }
}

mock_provider "aws" {
  alias = "edge"
}

variables {
  github_repository = "example/nightjar"
  release = {
    code_sha           = "0123456789ab"
    serving_image      = "123456789012.dkr.ecr.us-east-1.amazonaws.com/nightjar/serving@sha256:0000000000000000000000000000000000000000000000000000000000000000"
    training_image     = "123456789012.dkr.ecr.us-east-1.amazonaws.com/nightjar/training@sha256:0000000000000000000000000000000000000000000000000000000000000000"
    training_gpu_image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/nightjar/training@sha256:1111111111111111111111111111111111111111111111111111111111111111"
    plugins_key        = "releases/0123456789ab/plugins.zip"
    requirements_key   = "releases/0123456789ab/requirements.txt"
    dags_path          = "releases/0123456789ab/dags"
  }
}

run "released" {
  command = plan

  assert {
    condition     = length(module.network.private_subnet_ids) == var.sizes.availability_zones
    error_message = "Each availability zone needs a private subnet."
  }
  assert {
    condition     = alltrue([for workload in keys(local.workloads) : contains(keys(module.security.role_arns), "${workload}/ecs-task")])
    error_message = "Each workload needs roles of its own."
  }
  assert {
    condition     = local.settings.NIGHTJAR_TRAINING_GPU_IMAGE == var.release.training_gpu_image
    error_message = "The training image for GPUs is a setting of the DAGs."
  }
}

# The first apply of an account: there is neither code nor an image yet.
run "first" {
  command = plan

  variables {
    release = null
  }

  assert {
    condition     = length(module.orchestration) == 0 && length(module.etl.job_names) == 0 && module.lake.dead_man_function_name == null
    error_message = "Without a release, nothing that needs code can be made."
  }
  assert {
    condition     = local.settings == null
    error_message = "Without a release there are no images, so the settings are not complete."
  }
}
