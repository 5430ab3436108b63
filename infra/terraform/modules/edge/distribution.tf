# One distribution for all workloads. The host name decides which service answers.
resource "aws_acm_certificate" "this" {
  provider          = aws.edge
  domain_name       = "*.${var.domain}"
  validation_method = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

# ACM asks for the same record as for the load balancer's certificate, which has this name, too; that one is validated.
resource "aws_acm_certificate_validation" "this" {
  provider        = aws.edge
  certificate_arn = aws_acm_certificate.this.arn
}

# Nothing is cached unless the service says so, which it does not. A cache policy is still needed, because CloudFront
# compresses only with one whose longest time is above zero.
resource "aws_cloudfront_cache_policy" "this" {
  name        = "${local.name}-no-cache"
  comment     = "No caching; answers are compressed"
  min_ttl     = 0
  default_ttl = 0
  max_ttl     = 1

  parameters_in_cache_key_and_forwarded_to_origin {
    enable_accept_encoding_brotli = true
    enable_accept_encoding_gzip   = true

    cookies_config {
      cookie_behavior = "none"
    }
    headers_config {
      # Answers of two hosts, or of two callers, are never one.
      header_behavior = "whitelist"
      headers {
        items = ["Authorization", "Host", "x-api-key"]
      }
    }
    query_strings_config {
      query_string_behavior = "all"
    }
  }
}

locals {
  # Managed by AWS; the ids are the same in every account.
  all_viewer       = "216adef6-5c7f-47e4-b989-5492eafa07d3" # Managed-AllViewer: every header, so the host decides
  security_headers = "67f7725c-6f97-4210-82d7-5512b31e9d03" # Managed-SecurityHeadersPolicy
}

resource "aws_cloudfront_distribution" "this" {
  enabled         = true
  comment         = "Nightjar: the public routes of the services"
  aliases         = values(local.hosts)
  http_version    = "http2and3"
  is_ipv6_enabled = true
  price_class     = "PriceClass_100" # North America and Europe
  web_acl_id      = aws_wafv2_web_acl.this.arn

  origin {
    origin_id           = local.name
    domain_name         = var.load_balancer.dns_name
    connection_attempts = 2

    vpc_origin_config {
      vpc_origin_id            = aws_cloudfront_vpc_origin.this.id
      origin_read_timeout      = 30
      origin_keepalive_timeout = 5
    }
  }

  default_cache_behavior {
    target_origin_id           = local.name
    viewer_protocol_policy     = "https-only"
    allowed_methods            = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"] # CloudFront has no smaller set with POST
    cached_methods             = ["GET", "HEAD"]
    compress                   = true
    cache_policy_id            = aws_cloudfront_cache_policy.this.id
    origin_request_policy_id   = local.all_viewer
    response_headers_policy_id = local.security_headers
  }

  # CloudFront keeps errors for ten seconds unless told otherwise: a /ready of 503 would outlive its cause.
  dynamic "custom_error_response" {
    for_each = toset([404, 500, 502, 503, 504])

    content {
      error_code            = custom_error_response.value
      error_caching_min_ttl = 0
    }
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  viewer_certificate {
    acm_certificate_arn      = aws_acm_certificate_validation.this.certificate_arn
    ssl_support_method       = "sni-only"
    minimum_protocol_version = "TLSv1.2_2021"
  }
}

locals {
  records = {
    for pair in setproduct(keys(local.hosts), ["A", "AAAA"]) : "${pair[0]}/${pair[1]}" => { workload = pair[0], type = pair[1] }
  }
}

resource "aws_route53_record" "public" {
  for_each = local.records
  zone_id  = var.public_zone_id
  name     = local.hosts[each.value.workload]
  type     = each.value.type

  alias {
    name                   = aws_cloudfront_distribution.this.domain_name
    zone_id                = aws_cloudfront_distribution.this.hosted_zone_id
    evaluate_target_health = false
  }
}
