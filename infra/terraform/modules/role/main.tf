# A role from its folder in infra/policies. permissions.json is the inline policy that the laptop gives the role, too;
# permissions-<subject>.json become managed policies, since IAM limits the sum of inline ones.
locals {
  # Without the white space, which counts against IAM's limits.
  document = {
    for file in fileset(var.documents, "*.json") :
    trimsuffix(file, ".json") => jsonencode(jsondecode(templatefile("${var.documents}/${file}", var.placeholders)))
  }
  managed = {
    for file in fileset(var.documents, "permissions-*.json") :
    trimsuffix(trimprefix(file, "permissions-"), ".json") => local.document[trimsuffix(file, ".json")]
  }
}

resource "aws_iam_role" "this" {
  name                 = var.name
  description          = var.description
  assume_role_policy   = local.document["trust"]
  permissions_boundary = var.permissions_boundary_arn
  max_session_duration = var.max_session_seconds
  tags                 = var.tags
}

resource "aws_iam_role_policy" "this" {
  count  = contains(keys(local.document), "permissions") ? 1 : 0
  name   = "nightjar"
  role   = aws_iam_role.this.id
  policy = local.document["permissions"]

  lifecycle {
    precondition {
      condition     = length(local.document["permissions"]) <= 10240
      error_message = "The permissions of ${var.name} are longer than the 10,240 characters that IAM accepts inline: move statements to permissions-<subject>.json."
    }
  }
}

resource "aws_iam_policy" "this" {
  for_each    = local.managed
  name        = "${var.name}-${each.key}"
  description = "Permissions of ${var.name}: ${each.key}"
  policy      = each.value
  tags        = var.tags

  lifecycle {
    precondition {
      condition     = length(each.value) <= 6144
      error_message = "permissions-${each.key}.json of ${var.name} is longer than the 6,144 characters of a managed policy: split it by subject."
    }
  }
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each   = local.managed
  role       = aws_iam_role.this.name
  policy_arn = aws_iam_policy.this[each.key].arn
}
