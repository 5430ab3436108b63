# What a workload connects with. infra/delivery/database_roles.py writes the value: the login below and the password that it
# gave the role, which rotation replaces. Terraform writes none, because it reads back into its state what it wrote.
locals {
  database_roles = { for name in keys(local.database_secrets) : name => "nightjar_${replace(name, "-", "_")}" }
  database_logins = {
    for name, role in local.database_roles : name => {
      engine   = "postgres"
      host     = try(aws_rds_cluster.this[0].endpoint, null)
      port     = local.database.cluster.Port
      dbname   = local.database.cluster.DatabaseName
      username = role
      sslmode  = "require"
    }
  }
  rotated = { for name, secret in local.database_secrets : name => secret if var.switches.rotation }
}

resource "aws_secretsmanager_secret" "database" {
  for_each                = local.database_secrets
  name                    = each.value
  description             = "How ${each.key} connects to its relational source"
  kms_key_id              = var.key_arns["secrets"]
  recovery_window_in_days = local.prod ? 30 : 0
  tags                    = { workload = each.key }
}

# Rotation by AWS's published function: the role changes its own password.
resource "aws_security_group" "rotation" {
  count       = length(local.rotated) > 0 ? 1 : 0
  name        = "nightjar-rotation"
  description = "The function that rotates database passwords"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_egress_rule" "rotation" {
  for_each = length(local.rotated) > 0 ? {
    database  = local.database.cluster.Port
    endpoints = 443
  } : {}
  security_group_id            = aws_security_group.rotation[0].id
  referenced_security_group_id = var.security_group_ids[each.key]
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value
  description                  = "to the ${each.key}"
}

# Without endpoints, Secrets Manager is reached at public addresses through the NAT gateway.
resource "aws_vpc_security_group_egress_rule" "rotation_nat" {
  count             = length(local.rotated) > 0 && !var.switches.endpoints ? 1 : 0
  security_group_id = aws_security_group.rotation[0].id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  description       = "HTTPS through the NAT gateway"
}

resource "aws_vpc_security_group_ingress_rule" "rotation" {
  for_each                     = aws_vpc_security_group_egress_rule.rotation
  security_group_id            = each.value.referenced_security_group_id
  referenced_security_group_id = each.value.security_group_id
  ip_protocol                  = "tcp"
  from_port                    = each.value.from_port
  to_port                      = each.value.to_port
  description                  = "from the rotation of passwords"
}

resource "aws_serverlessapplicationrepository_cloudformation_stack" "rotation" {
  count          = length(local.rotated) > 0 ? 1 : 0
  name           = "nightjar-rotation"
  application_id = "arn:aws:serverlessrepo:us-east-1:297356227824:applications/SecretsManagerRDSPostgreSQLRotationSingleUser"
  capabilities   = ["CAPABILITY_IAM", "CAPABILITY_RESOURCE_POLICY"]

  parameters = {
    functionName        = "nightjar-rotation"
    endpoint            = "https://secretsmanager.${var.region}.amazonaws.com"
    kmsKeyArn           = var.key_arns["secrets"]
    vpcSubnetIds        = join(",", var.private_subnet_ids)
    vpcSecurityGroupIds = aws_security_group.rotation[0].id
    excludeCharacters   = "/@\"'\\ "
  }
}

resource "aws_secretsmanager_secret_rotation" "database" {
  for_each            = local.rotated
  secret_id           = aws_secretsmanager_secret.database[each.key].id
  rotation_lambda_arn = aws_serverlessapplicationrepository_cloudformation_stack.rotation[0].outputs["RotationLambdaARN"]
  rotate_immediately  = false # the role gets its first password after this apply (infra/delivery/database_roles.py)

  rotation_rules {
    automatically_after_days = local.database.rotation_days
  }
}
