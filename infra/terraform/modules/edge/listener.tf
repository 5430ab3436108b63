# The only port of the load balancer that CloudFront can reach. It forwards the public routes of a public host name and
# nothing else; MWAA comes to port 443, where every route is answered (docs/adr/0027).
resource "aws_lb_listener" "public" {
  load_balancer_arn = var.load_balancer.arn
  protocol          = "HTTPS"
  port              = var.https_port
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"
  certificate_arn   = var.load_balancer.certificate_arn

  default_action {
    type = "fixed-response"

    fixed_response {
      content_type = "application/json"
      message_body = jsonencode({ error = "not found" })
      status_code  = "404"
    }
  }
}

resource "aws_lb_listener_rule" "public" {
  for_each     = local.rules
  listener_arn = aws_lb_listener.public.arn

  action {
    type             = "forward"
    target_group_arn = contains(keys(var.canary_target_group_arns), each.value.workload) ? null : var.target_group_arns[each.value.workload]

    # A deploy gives a canary its share of the requests here, too (docs/adr/0047).
    dynamic "forward" {
      for_each = contains(keys(var.canary_target_group_arns), each.value.workload) ? [each.value.workload] : []

      content {
        target_group {
          arn    = var.target_group_arns[forward.value]
          weight = 100
        }

        target_group {
          arn    = var.canary_target_group_arns[forward.value]
          weight = 0
        }
      }
    }
  }

  condition {
    host_header {
      values = [each.value.host]
    }
  }

  condition {
    path_pattern {
      values = each.value.routes
    }
  }

  tags = { workload = each.value.workload }
}

# CloudFront takes it as the sign that a VPC may have traffic from the internet. Without a route to it, nothing in the VPC
# can use it.
resource "aws_internet_gateway" "this" {
  count  = var.internet_gateway ? 1 : 0
  vpc_id = var.vpc_id
  tags   = { Name = "${local.name}-cloudfront" }
}

resource "aws_cloudfront_vpc_origin" "this" {
  vpc_origin_endpoint_config {
    name                   = local.name
    arn                    = var.load_balancer.arn
    http_port              = 80 # required by the API; with https-only it is not used
    https_port             = var.https_port
    origin_protocol_policy = "https-only"

    origin_ssl_protocols {
      items    = ["TLSv1.2"]
      quantity = 1
    }
  }

  # The origin's port must answer, and nobody else's requests may reach it.
  depends_on = [aws_lb_listener_rule.public, aws_internet_gateway.this]
}

# CloudFront makes this group together with the first VPC origin of a VPC.
data "aws_security_group" "cloudfront" {
  name   = "CloudFront-VPCOrigins-Service-SG"
  vpc_id = var.vpc_id

  depends_on = [aws_cloudfront_vpc_origin.this]
}

resource "aws_vpc_security_group_ingress_rule" "public" {
  security_group_id            = var.load_balancer.security_group_id
  referenced_security_group_id = data.aws_security_group.cloudfront.id
  ip_protocol                  = "tcp"
  from_port                    = var.https_port
  to_port                      = var.https_port
  description                  = "from CloudFront"
}
