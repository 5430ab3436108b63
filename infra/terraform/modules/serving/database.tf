# The relational source. It pauses for nobody: the smallest capacity is in the environment's sizes.
locals {
  database           = yamldecode(file("${var.definitions}/database.yaml"))
  aurora             = var.switches.aurora ? 1 : 0
  database_instances = local.prod ? 2 : 1 # in production a second one in another zone takes over
}

resource "aws_db_subnet_group" "this" {
  count       = local.aurora
  name        = local.database.cluster.DBClusterIdentifier
  description = "Subnets of the relational source"
  subnet_ids  = var.database_subnet_ids
}

resource "aws_rds_cluster_parameter_group" "this" {
  count       = local.aurora
  name        = local.database.cluster.DBClusterIdentifier
  family      = local.database.cluster.ParameterGroupFamily
  description = "Nightjar: TLS only, slow statements logged without their parameters"

  dynamic "parameter" {
    for_each = local.database.parameters

    content {
      name  = parameter.key
      value = parameter.value
    }
  }
}

resource "aws_cloudwatch_log_group" "database" {
  count             = local.aurora
  name              = "/aws/rds/cluster/${local.database.cluster.DBClusterIdentifier}/postgresql"
  retention_in_days = local.log_retention_days
  kms_key_id        = var.key_arns["logs"]
}

resource "aws_rds_cluster" "this" {
  count              = local.aurora
  cluster_identifier = local.database.cluster.DBClusterIdentifier
  engine             = local.database.cluster.Engine
  engine_version     = local.database.cluster.EngineVersion
  database_name      = local.database.cluster.DatabaseName
  port               = local.database.cluster.Port

  # RDS makes the administrator's password, keeps it in a secret and rotates it every seven days. It is in no state file.
  master_username                     = local.database.cluster.MasterUsername
  manage_master_user_password         = true
  master_user_secret_kms_key_id       = var.key_arns["secrets"]
  iam_database_authentication_enabled = true
  # infra/delivery/database_roles.py creates the workloads' roles through the Data API: nothing outside the VPC connects.
  enable_http_endpoint = true

  db_subnet_group_name            = aws_db_subnet_group.this[0].name
  db_cluster_parameter_group_name = aws_rds_cluster_parameter_group.this[0].name
  vpc_security_group_ids          = [var.security_group_ids["database"]]
  storage_encrypted               = true
  kms_key_id                      = var.key_arns["database"]
  enabled_cloudwatch_logs_exports = ["postgresql"]

  deletion_protection       = local.prod
  backup_retention_period   = local.prod ? 14 : 3
  preferred_backup_window   = "03:00-04:00"
  copy_tags_to_snapshot     = true
  skip_final_snapshot       = !local.prod
  final_snapshot_identifier = local.prod ? "${local.database.cluster.DBClusterIdentifier}-final" : null

  preferred_maintenance_window = "sun:04:30-sun:05:30"
  apply_immediately            = !local.prod

  serverlessv2_scaling_configuration {
    min_capacity = var.sizes.aurora_min_acu
    max_capacity = var.sizes.aurora_max_acu
  }

  depends_on = [aws_cloudwatch_log_group.database]
}

resource "aws_rds_cluster_instance" "this" {
  count               = local.aurora * local.database_instances
  identifier          = "${local.database.cluster.DBClusterIdentifier}-${count.index + 1}"
  cluster_identifier  = aws_rds_cluster.this[0].id
  engine              = aws_rds_cluster.this[0].engine
  instance_class      = "db.serverless"
  publicly_accessible = false

  auto_minor_version_upgrade      = true
  copy_tags_to_snapshot           = true
  performance_insights_enabled    = true
  performance_insights_kms_key_id = var.key_arns["database"]
}
