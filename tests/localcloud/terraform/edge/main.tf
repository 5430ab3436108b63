# What stands in front of a service: network, certificate, load balancer, cache, scaling.
variable "http_port" { type = number }
variable "https_port" { type = number }
variable "certificate" { type = string }
variable "private_key" { type = string }

resource "aws_vpc" "this" { cidr_block = "10.0.0.0/16" }

resource "aws_subnet" "this" {
  for_each          = { a = "10.0.1.0/24", b = "10.0.2.0/24" }
  vpc_id            = aws_vpc.this.id
  cidr_block        = each.value
  availability_zone = "us-east-1${each.key}"
}

resource "aws_security_group" "this" {
  name   = "edge"
  vpc_id = aws_vpc.this.id
}

resource "aws_acm_certificate" "this" {
  certificate_body = file(var.certificate)
  private_key      = file(var.private_key)
}

resource "aws_lb" "this" {
  name            = "edge"
  internal        = true
  security_groups = [aws_security_group.this.id]
  subnets         = [for subnet in aws_subnet.this : subnet.id]
}

resource "aws_lb_target_group" "this" {
  name        = "edge"
  port        = 8080
  protocol    = "HTTP"
  target_type = "ip"
  vpc_id      = aws_vpc.this.id
  health_check { path = "/health" }
}

resource "aws_lb_listener" "redirect" {
  load_balancer_arn = aws_lb.this.arn
  port              = var.http_port
  protocol          = "HTTP"
  default_action {
    type = "redirect"
    redirect {
      port        = tostring(var.https_port)
      protocol    = "HTTPS"
      status_code = "HTTP_301"
    }
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.this.arn
  port              = var.https_port
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = aws_acm_certificate.this.arn
  default_action {
    type = "fixed-response"
    fixed_response {
      content_type = "text/plain"
      message_body = "nothing here"
      status_code  = "404"
    }
  }
}

resource "aws_lb_listener_rule" "this" {
  listener_arn = aws_lb_listener.https.arn
  priority     = 10
  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this.arn
  }
  condition {
    host_header { values = ["rides.example.com"] }
  }
  condition {
    path_pattern { values = ["/predict*"] }
  }
}

resource "aws_ecs_cluster" "this" {
  name = "edge"
  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_iam_role" "task" {
  name               = "edge-task"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }] })
}

data "aws_iam_policy" "execution" { name = "AmazonECSTaskExecutionRolePolicy" }

resource "aws_iam_role_policy_attachment" "execution" {
  role       = aws_iam_role.task.name
  policy_arn = data.aws_iam_policy.execution.arn
}

resource "aws_ecs_task_definition" "this" {
  family                   = "edge"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.task.arn
  container_definitions    = jsonencode([{ name = "app", image = "edge:1", essential = true }])
}

resource "aws_ecs_service" "this" {
  name            = "edge"
  cluster         = aws_ecs_cluster.this.id
  task_definition = aws_ecs_task_definition.this.arn
  launch_type     = "FARGATE"
  desired_count   = 0
  network_configuration { subnets = [for subnet in aws_subnet.this : subnet.id] }
}

resource "aws_appautoscaling_target" "this" {
  service_namespace  = "ecs"
  resource_id        = "service/${aws_ecs_cluster.this.name}/${aws_ecs_service.this.name}"
  scalable_dimension = "ecs:service:DesiredCount"
  min_capacity       = 0
  max_capacity       = 4
}

resource "aws_appautoscaling_policy" "this" {
  name               = "cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this.service_namespace
  resource_id        = aws_appautoscaling_target.this.resource_id
  scalable_dimension = aws_appautoscaling_target.this.scalable_dimension
  target_tracking_scaling_policy_configuration {
    target_value = 60
    predefined_metric_specification { predefined_metric_type = "ECSServiceAverageCPUUtilization" }
  }
}

resource "aws_elasticache_subnet_group" "this" {
  name       = "edge"
  subnet_ids = [for subnet in aws_subnet.this : subnet.id]
}

resource "aws_elasticache_parameter_group" "this" {
  name   = "edge"
  family = "valkey8"
  parameter {
    name  = "maxmemory-policy"
    value = "allkeys-lru"
  }
}

resource "aws_elasticache_replication_group" "this" {
  replication_group_id       = "edge"
  description                = "features"
  engine                     = "valkey"
  engine_version             = "8.0"
  node_type                  = "cache.t4g.small"
  num_cache_clusters         = 2
  automatic_failover_enabled = true
  multi_az_enabled           = true
  parameter_group_name       = aws_elasticache_parameter_group.this.name
  subnet_group_name          = aws_elasticache_subnet_group.this.name
  security_group_ids         = [aws_security_group.this.id]
  at_rest_encryption_enabled = true
  transit_encryption_enabled = true
  auth_token                 = "a-token-of-sixteen-characters"
}
