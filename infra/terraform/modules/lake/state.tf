resource "aws_dynamodb_table" "state" {
  name                        = local.table.TableName
  billing_mode                = local.table.BillingMode
  hash_key                    = one([for key in local.table.KeySchema : key.AttributeName if key.KeyType == "HASH"])
  range_key                   = one([for key in local.table.KeySchema : key.AttributeName if key.KeyType == "RANGE"])
  deletion_protection_enabled = !var.disposable

  dynamic "attribute" {
    for_each = local.table.AttributeDefinitions

    content {
      name = attribute.value.AttributeName
      type = attribute.value.AttributeType
    }
  }

  point_in_time_recovery {
    enabled = local.table.point_in_time_recovery
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = var.key_arns[local.table.key]
  }
}
