# Valkey behind TLS. A service signs in with its task role, so no password exists that could leak or would have to be
# rotated (infra/definitions/cache.yaml, serving/elasticache_iam.py).
locals {
  cache_users = { for name, definition in local.cache_definitions : name => definition if var.switches.cache }
  cache_host  = one(aws_elasticache_replication_group.this[*].primary_endpoint_address)

  cache_environment = {
    for name, definition in local.cache_definitions : name => var.switches.cache ? [
      { name = "REDIS_URL", value = "rediss://${local.cache_host}:6379" },
      { name = "REDIS_IAM_CACHE", value = local.cache.ReplicationGroupId },
      { name = "REDIS_IAM_USER", value = definition.user.UserId },
    ] : []
  }
}

resource "aws_elasticache_user" "this" {
  for_each      = local.cache_users
  user_id       = each.value.user.UserId
  user_name     = each.value.user.UserId # IAM authentication asks for the same name
  engine        = local.cache.Engine
  access_string = each.value.user.AccessString

  authentication_mode {
    type = "iam"
  }

  tags = { workload = each.key }
}

resource "aws_elasticache_user_group" "this" {
  count         = var.switches.cache ? 1 : 0
  user_group_id = local.cache.ReplicationGroupId
  engine        = local.cache.Engine
  user_ids      = [for user in aws_elasticache_user.this : user.user_id]
}

resource "aws_elasticache_subnet_group" "this" {
  count      = var.switches.cache ? 1 : 0
  name       = local.cache.ReplicationGroupId
  subnet_ids = var.database_subnet_ids
}

resource "aws_elasticache_parameter_group" "this" {
  count       = var.switches.cache ? 1 : 0
  name        = local.cache.ReplicationGroupId
  family      = local.cache.ParameterGroupFamily
  description = "Nightjar: a full cache drops what was not used for longest"

  parameter {
    name  = "maxmemory-policy"
    value = "allkeys-lru"
  }
}

resource "aws_cloudwatch_log_group" "cache" {
  count             = var.switches.cache ? 1 : 0
  name              = "/aws/elasticache/nightjar"
  retention_in_days = local.log_retention_days
  kms_key_id        = var.key_arns["logs"]
}

resource "aws_elasticache_replication_group" "this" {
  count                = var.switches.cache ? 1 : 0
  replication_group_id = local.cache.ReplicationGroupId
  description          = "Nightjar: predictions of slow models"
  engine               = local.cache.Engine
  engine_version       = local.cache.EngineVersion
  node_type            = var.sizes.cache_node_type
  num_cache_clusters   = var.sizes.cache_nodes
  port                 = 6379

  automatic_failover_enabled = var.sizes.cache_nodes > 1
  multi_az_enabled           = var.sizes.cache_nodes > 1
  auto_minor_version_upgrade = true
  snapshot_retention_limit   = 0 # a lost entry is computed again

  at_rest_encryption_enabled = true
  kms_key_id                 = var.key_arns["database"]
  transit_encryption_enabled = true
  transit_encryption_mode    = "required"
  user_group_ids             = [aws_elasticache_user_group.this[0].user_group_id]

  parameter_group_name = aws_elasticache_parameter_group.this[0].name
  subnet_group_name    = aws_elasticache_subnet_group.this[0].name
  security_group_ids   = [var.security_group_ids["cache"]]

  log_delivery_configuration {
    destination      = aws_cloudwatch_log_group.cache[0].name
    destination_type = "cloudwatch-logs"
    log_format       = "json"
    log_type         = "slow-log"
  }
}

# Part of the task role only where there is a cache.
resource "aws_iam_role_policy" "cache" {
  for_each = local.cache_users
  name     = "cache"
  role     = var.role_names["${each.key}/ecs-task"]
  policy   = templatefile("${var.policies}/ecs-task/cache.json", merge(var.names, { workload = each.key }))
}
