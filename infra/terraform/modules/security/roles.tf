# Every role of infra/definitions/roles.yaml but the delivery's, which need a repository (modules/delivery).
locals {
  kinds = { for kind, role in yamldecode(templatefile("${var.definitions}/roles.yaml", var.names)) : kind => role if !can(role.needs) }

  platform_roles = { for kind, role in local.kinds : kind => { kind = kind, name = "nightjar-${kind}", workload = null } if role.per == "platform" }
  workload_roles = merge([
    for workload in keys(var.workloads) : {
      for kind, role in local.kinds : "${workload}/${kind}" => { kind = kind, name = "nightjar-${workload}-${kind}", workload = workload } if role.per == "workload"
    }
  ]...)

  placeholders = merge(var.names, { for key, resource in aws_kms_key.this : "key_${key}" => resource.arn })
}

module "role" {
  source                   = "../role"
  for_each                 = merge(local.platform_roles, local.workload_roles)
  name                     = each.value.name
  description              = local.kinds[each.value.kind].description
  documents                = "${var.policies}/${each.value.kind}"
  placeholders             = merge(local.placeholders, each.value.workload == null ? {} : { workload = each.value.workload })
  permissions_boundary_arn = aws_iam_policy.boundary.arn
  tags                     = each.value.workload == null ? {} : { workload = each.value.workload }
}

# What no role of the platform may do, whatever its own policies say. The delivery can only create roles that have it.
resource "aws_iam_policy" "boundary" {
  name        = "nightjar-boundary"
  description = "Permissions boundary of all roles of the platform"
  policy      = jsonencode(jsondecode(templatefile("${var.policies}/boundary.json", var.names)))
}
