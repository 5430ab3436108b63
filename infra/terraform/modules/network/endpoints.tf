# AWS's APIs inside the VPC. The policy of an endpoint lets only principals of this account use it, and only for
# resources of this account; exceptions are in the documents of infra/policies/endpoints/.
locals {
  # The endpoint's name -> the prefix of its actions in IAM.
  interfaces = merge(var.canaries ? { "elasticloadbalancing" = "elasticloadbalancing" } : {}, {
    "airflow.api"       = "airflow"
    "airflow.env"       = "airflow"
    "airflow.ops"       = "airflow"
    "athena"            = "athena"
    "ecr.api"           = "ecr"
    "ecr.dkr"           = "ecr"
    "ecs"               = "ecs"
    "events"            = "events"
    "glue"              = "glue"
    "kinesis-firehose"  = "firehose"
    "kinesis-streams"   = "kinesis"
    "kms"               = "kms"
    "logs"              = "logs"
    "monitoring"        = "cloudwatch"
    "sagemaker.api"     = "sagemaker"
    "sagemaker.runtime" = "sagemaker"
    "secretsmanager"    = "secretsmanager"
    "sns"               = "sns"
    "sqs"               = "sqs"
    "ssm"               = "ssm"
    "sts"               = "sts"
    "xray"              = "xray"
  })

  # A document with the name of the endpoint replaces the general one.
  endpoint_policies = {
    for name, service in merge(local.interfaces, { s3 = "s3", dynamodb = "dynamodb" }) : name => jsonencode(jsondecode(templatefile(
      fileexists("${var.policies}/endpoints/${name}.json") ? "${var.policies}/endpoints/${name}.json" : "${var.policies}/endpoints/general.json",
      merge(var.names, { service = service }),
    )))
  }
}

resource "aws_vpc_endpoint" "gateway" {
  for_each          = toset(["s3", "dynamodb"])
  vpc_id            = aws_vpc.this.id
  service_name      = "com.amazonaws.${var.region}.${each.key}"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = [for table in aws_route_table.private : table.id]
  policy            = local.endpoint_policies[each.key]
  tags              = { Name = "nightjar-${each.key}" }
}

resource "aws_vpc_endpoint" "interface" {
  for_each            = var.interface_endpoints ? local.interfaces : {}
  vpc_id              = aws_vpc.this.id
  service_name        = "com.amazonaws.${var.region}.${each.key}"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = [for subnet in aws_subnet.private : subnet.id]
  security_group_ids  = [aws_security_group.this["endpoints"].id]
  policy              = local.endpoint_policies[each.key]
  tags                = { Name = "nightjar-${each.key}" }
}
