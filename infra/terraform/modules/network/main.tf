# Everything runs in private subnets. Public subnets hold NAT gateways and nothing else, so without NAT there are none.
data "aws_availability_zones" "available" {
  state = "available"

  # Without local and wavelength zones, which lack most services.
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

locals {
  zones = slice(sort(data.aws_availability_zones.available.names), 0, var.zone_count)

  # By the zone's place, so that the addresses of a subnet do not depend on the names of zones.
  private  = { for index, zone in local.zones : zone => cidrsubnet(var.cidr, 4, index) }
  database = { for index, zone in local.zones : zone => cidrsubnet(var.cidr, 4, 4 + index) }
  public   = { for index, zone in local.zones : zone => cidrsubnet(var.cidr, 8, 240 + index) if var.nat_gateways > 0 }

  nat_zones = slice(local.zones, 0, var.nat_gateways)
  # A zone without a NAT gateway of its own uses the first one.
  nat_of_zone = { for zone in local.zones : zone => contains(local.nat_zones, zone) ? zone : local.zones[0] if var.nat_gateways > 0 }
}

resource "aws_vpc" "this" {
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = { Name = "nightjar" }
}

# Nothing may use the default group: it is left without rules.
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id
  tags   = { Name = "nightjar-default-closed" }
}

resource "aws_subnet" "private" {
  for_each                = local.private
  vpc_id                  = aws_vpc.this.id
  cidr_block              = each.value
  availability_zone       = each.key
  map_public_ip_on_launch = false
  tags                    = { Name = "nightjar-private-${each.key}" }
}

resource "aws_subnet" "database" {
  for_each                = local.database
  vpc_id                  = aws_vpc.this.id
  cidr_block              = each.value
  availability_zone       = each.key
  map_public_ip_on_launch = false
  tags                    = { Name = "nightjar-database-${each.key}" }
}

resource "aws_subnet" "public" {
  for_each                = local.public
  vpc_id                  = aws_vpc.this.id
  cidr_block              = each.value
  availability_zone       = each.key
  map_public_ip_on_launch = false
  tags                    = { Name = "nightjar-nat-${each.key}" }
}
