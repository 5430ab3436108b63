# One internal load balancer for all workloads. Who may reach which port and which routes: docs/adr/0027.
resource "aws_lb" "this" {
  name               = local.shared.load_balancer.Name
  internal           = local.shared.load_balancer.Scheme == "internal"
  load_balancer_type = local.shared.load_balancer.Type
  subnets            = var.private_subnet_ids
  security_groups    = [var.security_group_ids["load_balancer"]]

  drop_invalid_header_fields = local.shared.load_balancer.attributes["routing.http.drop_invalid_header_fields.enabled"] == "true"
  idle_timeout               = tonumber(local.shared.load_balancer.attributes["idle_timeout.timeout_seconds"])
  enable_deletion_protection = local.prod

  access_logs {
    bucket  = var.log_bucket
    prefix  = "alb"
    enabled = true
  }
}

resource "aws_lb_target_group" "this" {
  for_each    = local.services
  name        = each.value.target_group.Name
  protocol    = each.value.target_group.Protocol
  port        = each.value.target_group.Port
  target_type = each.value.target_group.TargetType
  vpc_id      = var.vpc_id

  deregistration_delay = each.value.target_group.attributes["deregistration_delay.timeout_seconds"]

  health_check {
    path                = each.value.target_group.HealthCheckPath
    interval            = each.value.target_group.HealthCheckIntervalSeconds
    timeout             = each.value.target_group.HealthCheckTimeoutSeconds
    healthy_threshold   = each.value.target_group.HealthyThresholdCount
    unhealthy_threshold = each.value.target_group.UnhealthyThresholdCount
  }

  tags = { workload = each.key }
}

# The tasks of a canary. The rules give it no request; a deploy does, for a time.
resource "aws_lb_target_group" "canary" {
  for_each    = local.canaries
  name        = each.value.target_group.Name
  protocol    = each.value.target_group.Protocol
  port        = each.value.target_group.Port
  target_type = each.value.target_group.TargetType
  vpc_id      = var.vpc_id

  deregistration_delay = each.value.target_group.attributes["deregistration_delay.timeout_seconds"]

  health_check {
    path                = each.value.target_group.HealthCheckPath
    interval            = each.value.target_group.HealthCheckIntervalSeconds
    timeout             = each.value.target_group.HealthCheckTimeoutSeconds
    healthy_threshold   = each.value.target_group.HealthyThresholdCount
    unhealthy_threshold = each.value.target_group.UnhealthyThresholdCount
  }

  tags = { workload = each.key }
}

# Callers within the VPC: MWAA verifies a deploy here. Every route is answered.
resource "aws_lb_listener" "internal" {
  count             = local.named ? 1 : 0
  load_balancer_arn = aws_lb.this.arn
  protocol          = "HTTPS"
  port              = var.https_port
  ssl_policy        = local.tls_policy
  certificate_arn   = aws_acm_certificate_validation.this[0].certificate_arn

  default_action {
    type = "fixed-response"

    fixed_response {
      content_type = "application/json"
      message_body = local.not_found
      status_code  = "404"
    }
  }
}

# Without a priority AWS takes the next free one. The rules exclude each other by host, so their order does not matter,
# and a new workload moves no other's rule.
resource "aws_lb_listener_rule" "internal" {
  for_each     = toset(local.named ? keys(var.workloads) : [])
  listener_arn = aws_lb_listener.internal[0].arn

  action {
    type             = "forward"
    target_group_arn = contains(keys(local.canaries), each.key) ? null : aws_lb_target_group.this[each.key].arn

    # An apply while a canary has its share ends that: it then gets too few requests and is rolled back.
    dynamic "forward" {
      for_each = contains(keys(local.canaries), each.key) ? [each.key] : []

      content {
        target_group {
          arn    = aws_lb_target_group.this[forward.value].arn
          weight = 100
        }

        target_group {
          arn    = aws_lb_target_group.canary[forward.value].arn
          weight = 0
        }
      }
    }
  }

  condition {
    host_header {
      values = [local.internal_hosts[each.key]]
    }
  }

  tags = { workload = each.key }
}

# A laptop has no DNS for host names: one plain listener a workload, on a loopback address of the local cloud.
resource "aws_lb_listener" "local" {
  for_each          = toset(local.named ? [] : keys(var.workloads))
  load_balancer_arn = aws_lb.this.arn
  protocol          = "HTTP"
  port              = var.local_listener_ports[each.key]

  default_action {
    type             = "forward"
    target_group_arn = contains(keys(local.canaries), each.key) ? null : aws_lb_target_group.this[each.key].arn

    # An apply while a canary has its share ends that: it then gets too few requests and is rolled back.
    dynamic "forward" {
      for_each = contains(keys(local.canaries), each.key) ? [each.key] : []

      content {
        target_group {
          arn    = aws_lb_target_group.this[forward.value].arn
          weight = 100
        }

        target_group {
          arn    = aws_lb_target_group.canary[forward.value].arn
          weight = 0
        }
      }
    }
  }

  tags = { workload = each.key }

  lifecycle {
    precondition {
      condition     = var.environment == "local"
      error_message = "local_listener_ports makes listeners without TLS: set it only where environment is local."
    }
    precondition {
      condition     = contains(keys(var.local_listener_ports), each.key)
      error_message = "local_listener_ports has no port for the workload ${each.key}: add it to the environment's file."
    }
  }
}

locals {
  tls_policy = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06" # TLS 1.3, and 1.2 with forward secrecy only
  not_found  = jsonencode({ error = "there is no workload of this name" })
}
