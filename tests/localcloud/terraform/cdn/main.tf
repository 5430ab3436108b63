# What is in front of the load balancer: CloudFront with a VPC origin, and the logs of web ACL and distribution.
resource "aws_vpc" "this" { cidr_block = "10.3.0.0/16" }

resource "aws_subnet" "this" {
  for_each          = { a = "10.3.1.0/24", b = "10.3.2.0/24" }
  vpc_id            = aws_vpc.this.id
  cidr_block        = each.value
  availability_zone = "us-east-1${each.key}"
}

resource "aws_security_group" "this" {
  name   = "cdn"
  vpc_id = aws_vpc.this.id
}

resource "aws_lb" "this" {
  name               = "cdn"
  internal           = true
  load_balancer_type = "application"
  security_groups    = [aws_security_group.this.id]
  subnets            = [for subnet in aws_subnet.this : subnet.id]
}

resource "aws_cloudfront_vpc_origin" "this" {
  vpc_origin_endpoint_config {
    name                   = "cdn"
    arn                    = aws_lb.this.arn
    http_port              = 80
    https_port             = 443
    origin_protocol_policy = "https-only"
    origin_ssl_protocols {
      items    = ["TLSv1.2"]
      quantity = 1
    }
  }
}

data "aws_security_group" "cloudfront" {
  name       = "CloudFront-VPCOrigins-Service-SG"
  vpc_id     = aws_vpc.this.id
  depends_on = [aws_cloudfront_vpc_origin.this]
}

resource "aws_vpc_security_group_ingress_rule" "cloudfront" {
  security_group_id            = aws_security_group.this.id
  referenced_security_group_id = data.aws_security_group.cloudfront.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_cloudfront_cache_policy" "this" {
  name        = "cdn"
  min_ttl     = 0
  default_ttl = 0
  max_ttl     = 1
  parameters_in_cache_key_and_forwarded_to_origin {
    enable_accept_encoding_gzip = true
    cookies_config { cookie_behavior = "none" }
    headers_config {
      header_behavior = "whitelist"
      headers { items = ["Authorization", "Host"] }
    }
    query_strings_config { query_string_behavior = "all" }
  }
}

resource "aws_cloudfront_distribution" "this" {
  enabled             = true
  wait_for_deployment = false
  comment             = "cdn"
  http_version        = "http2and3"
  is_ipv6_enabled     = true
  price_class         = "PriceClass_100"
  origin {
    origin_id           = "cdn"
    domain_name         = aws_lb.this.dns_name
    connection_attempts = 2
    vpc_origin_config {
      vpc_origin_id            = aws_cloudfront_vpc_origin.this.id
      origin_read_timeout      = 30
      origin_keepalive_timeout = 5
    }
  }
  default_cache_behavior {
    target_origin_id         = "cdn"
    viewer_protocol_policy   = "https-only"
    allowed_methods          = ["GET", "HEAD"]
    cached_methods           = ["GET", "HEAD"]
    compress                 = true
    cache_policy_id          = aws_cloudfront_cache_policy.this.id
    origin_request_policy_id = "216adef6-5c7f-47e4-b989-5492eafa07d3"
  }
  custom_error_response {
    error_code            = 503
    error_caching_min_ttl = 0
  }
  restrictions {
    geo_restriction { restriction_type = "none" }
  }
  viewer_certificate { cloudfront_default_certificate = true }
}

resource "aws_wafv2_web_acl" "this" {
  name  = "cdn"
  scope = "REGIONAL"
  default_action {
    allow {}
  }
  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = "cdn"
    sampled_requests_enabled   = false
  }
}

resource "aws_cloudwatch_log_group" "web_acl" { name = "aws-waf-logs-cdn" }

resource "aws_wafv2_web_acl_logging_configuration" "this" {
  resource_arn            = aws_wafv2_web_acl.this.arn
  log_destination_configs = [aws_cloudwatch_log_group.web_acl.arn]
  redacted_fields {
    single_header { name = "authorization" }
  }
  logging_filter {
    default_behavior = "DROP"
    filter {
      behavior    = "KEEP"
      requirement = "MEETS_ANY"
      condition {
        action_condition { action = "BLOCK" }
      }
    }
  }
}

resource "aws_s3_bucket" "logs" { bucket = "cdn-logs" }

resource "aws_cloudwatch_log_delivery_source" "this" {
  name         = "cdn"
  log_type     = "ACCESS_LOGS"
  resource_arn = aws_cloudfront_distribution.this.arn
}

resource "aws_cloudwatch_log_delivery_destination" "this" {
  name          = "cdn"
  output_format = "json"
  delivery_destination_configuration { destination_resource_arn = "${aws_s3_bucket.logs.arn}/cloudfront" }
}

resource "aws_cloudwatch_log_delivery" "this" {
  delivery_source_name     = aws_cloudwatch_log_delivery_source.this.name
  delivery_destination_arn = aws_cloudwatch_log_delivery_destination.this.arn
  s3_delivery_configuration {
    suffix_path                 = "/{yyyy}/{MM}/{dd}/{HH}"
    enable_hive_compatible_path = false
  }
}
