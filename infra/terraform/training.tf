module "training" {
  source                   = "./modules/training"
  definitions              = local.definitions
  policies                 = local.policies
  role_names               = module.security.role_names
  workloads                = local.workloads
  names                    = local.names
  disposable               = local.disposable
  key_arn                  = module.security.key_arns["artifact"]
  alerts_topic_arn         = module.observability.alerts_topic_arn
  tracking_server_role_arn = var.switches.mlflow ? module.security.role_arns["mlflow"] : null
}

output "model_group_names" {
  description = "Model package group of each workload."
  value       = module.training.model_group_names
}

output "training_repository_url" {
  description = "ECR repository of the training image."
  value       = module.training.training_repository_url
}
