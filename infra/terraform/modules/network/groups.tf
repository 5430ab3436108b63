# One security group for each part. A connection opens the port at both of its ends, and names the other end's group
# instead of a range of addresses.
locals {
  groups = {
    airflow       = "MWAA: schedulers, workers, web server"
    jobs          = "Glue and SageMaker jobs that run in the VPC"
    service       = "ECS tasks of the services"
    load_balancer = "The internal load balancer"
    database      = "Aurora"
    cache         = "ElastiCache"
    endpoints     = "Interface endpoints of AWS services"
  }

  connections = concat(
    [
      { from = "airflow", to = "airflow", port = 443 }, # MWAA asks for both: its web server and its metadata database
      { from = "airflow", to = "airflow", port = 5432 },
      { from = "airflow", to = "load_balancer", port = 443 },
      { from = "airflow", to = "database", port = var.ports.database },
      { from = "load_balancer", to = "service", port = var.ports.service },
      { from = "service", to = "cache", port = var.ports.cache },
    ],
    [for part in local.clients : { from = part, to = "endpoints", port = 443 } if var.interface_endpoints],
  )
  by_name = merge(
    { for connection in local.connections : "${connection.from}-${connection.to}-${connection.port}" => merge(connection, { to_port = connection.port }) },
    # Glue asks for every TCP port between its driver and executors.
    { "jobs-jobs" = { from = "jobs", to = "jobs", port = 0, to_port = 65535 } },
  )

  # What calls AWS's APIs.
  clients = ["airflow", "jobs", "service"]
  # S3 and DynamoDB are reached through gateways, which have lists of addresses and no group.
  through_gateways = {
    for pair in setproduct(local.clients, ["s3", "dynamodb"]) : join("-", pair) => { group = pair[0], gateway = pair[1] }
  }
}

resource "aws_security_group" "this" {
  for_each               = local.groups
  name                   = "nightjar-${replace(each.key, "_", "-")}"
  description            = each.value
  vpc_id                 = aws_vpc.this.id
  revoke_rules_on_delete = true # groups refer to each other
  tags                   = { Name = "nightjar-${replace(each.key, "_", "-")}" }
}

resource "aws_vpc_security_group_egress_rule" "connection" {
  for_each                     = local.by_name
  security_group_id            = aws_security_group.this[each.value.from].id
  referenced_security_group_id = aws_security_group.this[each.value.to].id
  description                  = "to ${each.value.to}"
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.to_port
}

resource "aws_vpc_security_group_ingress_rule" "connection" {
  for_each                     = local.by_name
  security_group_id            = aws_security_group.this[each.value.to].id
  referenced_security_group_id = aws_security_group.this[each.value.from].id
  description                  = "from ${each.value.from}"
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.to_port
}

resource "aws_vpc_security_group_egress_rule" "gateway" {
  for_each          = local.through_gateways
  security_group_id = aws_security_group.this[each.value.group].id
  prefix_list_id    = aws_vpc_endpoint.gateway[each.value.gateway].prefix_list_id
  description       = "to ${each.value.gateway}"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

# The only range: with a NAT gateway, AWS's APIs are reached at public addresses, for which there is no group.
resource "aws_vpc_security_group_egress_rule" "nat" {
  for_each          = toset(var.nat_gateways > 0 ? local.clients : [])
  security_group_id = aws_security_group.this[each.key].id
  cidr_ipv4         = "0.0.0.0/0"
  description       = "HTTPS through the NAT gateway"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}
