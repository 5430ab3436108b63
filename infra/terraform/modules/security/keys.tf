# A key for each kind of data. Its policy: the account administers it, and callers of the account use it only through
# the services that the definition lists.
locals {
  keys = yamldecode(templatefile("${var.definitions}/keys.yaml", var.names))

  # infra/policies/keys/<key>.json adds what AWS's services do in their own name.
  key_documents = { for key, definition in local.keys : key => concat(["general"], fileexists("${var.policies}/keys/${key}.json") ? [key] : []) }
  key_statements = {
    for key, definition in local.keys : key => flatten([
      for document in local.key_documents[key] : jsondecode(templatefile("${var.policies}/keys/${document}.json", merge(var.names, {
        # Between the quotes of a list's only element, so that the file is JSON before it is filled in, too.
        services = join("\",\"", [for service in definition.services : "${service}.${var.names.region}.amazonaws.com"])
      }))).Statement
    ])
  }
}

resource "aws_kms_key" "this" {
  for_each                = local.keys
  description             = each.value.description
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = jsonencode({ Version = "2012-10-17", Statement = local.key_statements[each.key] })
}

resource "aws_kms_alias" "this" {
  for_each      = local.keys
  name          = "alias/nightjar-${each.key}"
  target_key_id = aws_kms_key.this[each.key].key_id
}
