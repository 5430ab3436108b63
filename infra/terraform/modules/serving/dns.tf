# Host names and their certificate. The public zone exists before the first apply, because the domain must be delegated
# to it for the certificate's validation to end.
locals {
  internal_zone  = "internal.${var.domain}"
  internal_hosts = { for name in keys(var.workloads) : name => "${name}.${local.internal_zone}" }
  # Any workload's name: a new workload needs no new certificate. CloudFront connects with the public name.
  certificate_names = local.named ? toset(["*.${local.internal_zone}", "*.${var.domain}"]) : toset([])
}

data "aws_route53_zone" "public" {
  count        = local.named ? 1 : 0
  name         = var.domain
  private_zone = false
}

resource "aws_acm_certificate" "this" {
  count                     = local.named ? 1 : 0
  domain_name               = "*.${local.internal_zone}"
  subject_alternative_names = ["*.${var.domain}"]
  validation_method         = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

locals {
  validation = {
    for option in flatten(aws_acm_certificate.this[*].domain_validation_options) : option.domain_name => option
  }
}

resource "aws_route53_record" "validation" {
  for_each        = local.certificate_names
  zone_id         = data.aws_route53_zone.public[0].zone_id
  name            = local.validation[each.key].resource_record_name
  type            = local.validation[each.key].resource_record_type
  records         = [local.validation[each.key].resource_record_value]
  ttl             = 300
  allow_overwrite = true # CloudFront's certificate for the same name has the same record
}

resource "aws_acm_certificate_validation" "this" {
  count                   = local.named ? 1 : 0
  certificate_arn         = aws_acm_certificate.this[0].arn
  validation_record_fqdns = [for record in aws_route53_record.validation : record.fqdn]
}

resource "aws_route53_zone" "internal" {
  name    = local.internal_zone
  comment = "Names of the services within the VPC."

  vpc {
    vpc_id = var.vpc_id
  }
}

resource "aws_route53_record" "internal" {
  for_each = local.internal_hosts
  zone_id  = aws_route53_zone.internal.zone_id
  name     = each.value
  type     = "A"

  alias {
    name                   = aws_lb.this.dns_name
    zone_id                = aws_lb.this.zone_id
    evaluate_target_health = false
  }
}

# Where a deploy verifies the service.
locals {
  port_suffix = var.https_port == 443 ? "" : ":${var.https_port}"
  service_urls = {
    for name, host in local.internal_hosts : name => (
      local.named ? "https://${host}${local.port_suffix}" : "http://127.0.0.1:${try(var.local_listener_ports[name], 0)}"
    )
  }
}

resource "aws_ssm_parameter" "service_url" {
  for_each    = local.services
  name        = each.value.parameter
  description = "URL at which the service of ${each.key} is verified"
  type        = "String"
  value       = local.service_urls[each.key]
  tags        = { workload = each.key }
}
