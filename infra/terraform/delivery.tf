module "delivery" {
  source            = "./modules/delivery"
  definitions       = local.definitions
  policies          = local.policies
  placeholders      = module.security.placeholders
  environment       = var.environment
  github_repository = var.github_repository
  state_bucket      = coalesce(var.state_bucket, "nightjar-terraform-${local.account}")
}

output "github_role_arns" {
  description = "Roles that GitHub's workflows assume: variables AWS_ROLE_… of the repository."
  value       = module.delivery.github_role_arns
}
