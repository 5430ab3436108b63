output "github_role_arns" {
  description = "Roles of GitHub's workflows: github-plan, github-apply, github-release, github-models. Empty without a repository."
  value       = { for role, made in module.role : role => made.arn }
}
