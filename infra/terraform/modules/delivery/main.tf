# GitHub's workflows assume roles with a token of GitHub instead of a key. The trust policies name the repository and
# the branch or the GitHub environment.
locals {
  kinds = {
    for kind, role in yamldecode(templatefile("${var.definitions}/roles.yaml", var.placeholders)) :
    kind => role if var.github_repository != null && try(role.needs, null) == "github_repository"
  }
  placeholders = merge(var.placeholders, {
    environment       = var.environment
    github_repository = coalesce(var.github_repository, "none")
    state             = var.state_bucket
  })
}

# IAM knows the certificate authorities of GitHub's issuer, so the provider needs no thumbprint.
resource "aws_iam_openid_connect_provider" "github" {
  count          = var.github_repository == null ? 0 : 1
  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

# They are above the permissions boundary, because one of them creates roles. So no workflow may change them: a person
# applies a change of their documents.
module "role" {
  source       = "../role"
  for_each     = local.kinds
  name         = "nightjar-${each.key}"
  description  = each.value.description
  documents    = "${var.policies}/${each.key}"
  placeholders = local.placeholders

  depends_on = [aws_iam_openid_connect_provider.github]
}

# What applies must read what it plans.
resource "aws_iam_role_policy_attachment" "apply_reads" {
  for_each   = var.github_repository == null ? {} : module.role["github-plan"].policy_arns
  role       = module.role["github-apply"].name
  policy_arn = each.value
}
