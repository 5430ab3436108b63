resource "aws_ecs_cluster" "this" {
  name = local.shared.cluster.clusterName

  dynamic "setting" {
    for_each = local.shared.cluster.settings

    content {
      name  = setting.value.name
      value = setting.value.value
    }
  }
}

resource "aws_cloudwatch_log_group" "service" {
  for_each          = local.services
  name              = each.value.log_group.logGroupName
  retention_in_days = coalesce(var.sizes.log_retention_days, each.value.log_group.retentionInDays)
  kms_key_id        = var.key_arns["logs"]
  tags              = { workload = each.key }
}

# The template from which a deploy registers the revision that serves. It has no model, so it is never run itself.
resource "aws_ecs_task_definition" "template" {
  for_each                 = local.released
  family                   = each.value.task_definition.family
  network_mode             = each.value.task_definition.networkMode
  requires_compatibilities = each.value.task_definition.requiresCompatibilities
  cpu                      = each.value.task_definition.cpu
  memory                   = each.value.task_definition.memory
  task_role_arn            = var.role_arns["${each.key}/ecs-task"]
  execution_role_arn       = var.role_arns["${each.key}/ecs-execution"]

  container_definitions = jsonencode([
    for container in each.value.task_definition.containerDefinitions : merge(container, {
      environment = concat(container.environment, local.cache_environment[each.key])
    })
  ])

  dynamic "volume" {
    for_each = each.value.task_definition.volumes

    content {
      name = volume.value.name
    }
  }

  tags = { workload = each.key }
}

# Only the deploy DAG changes what a service runs, and only autoscaling and the deploy how many tasks it has
# (docs/adr/0006). So both are ignored here after the service was made without tasks.
resource "aws_ecs_service" "this" {
  for_each        = local.released
  name            = each.value.service.serviceName
  cluster         = aws_ecs_cluster.this.id
  launch_type     = each.value.service.launchType
  desired_count   = each.value.service.desiredCount
  task_definition = aws_ecs_task_definition.template[each.key].arn

  deployment_minimum_healthy_percent = each.value.service.deploymentConfiguration.minimumHealthyPercent
  deployment_maximum_percent         = each.value.service.deploymentConfiguration.maximumPercent
  health_check_grace_period_seconds  = each.value.service.healthCheckGracePeriodSeconds
  enable_execute_command             = false
  propagate_tags                     = "SERVICE"

  deployment_circuit_breaker {
    enable   = each.value.service.deploymentConfiguration.deploymentCircuitBreaker.enable
    rollback = each.value.service.deploymentConfiguration.deploymentCircuitBreaker.rollback
  }

  network_configuration {
    subnets          = var.private_subnet_ids
    security_groups  = [var.security_group_ids["service"]]
    assign_public_ip = false
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.this[each.key].arn
    container_name   = each.value.task_definition.containerDefinitions[0].name
    container_port   = each.value.target_group.Port
  }

  tags = { workload = each.key }

  lifecycle {
    ignore_changes = [task_definition, desired_count]
  }

  # A target group is accepted once a listener forwards to it.
  depends_on = [aws_lb_listener_rule.internal, aws_lb_listener.local]
}

# A canary's tasks, as many as its share of the requests needs, while a deploy compares them. It is never scaled.
resource "aws_ecs_service" "canary" {
  for_each        = { for name, service in local.canaries : name => service if var.release != null }
  name            = each.value.service.serviceName
  cluster         = aws_ecs_cluster.this.id
  launch_type     = each.value.service.launchType
  desired_count   = each.value.service.desiredCount
  task_definition = aws_ecs_task_definition.template[each.key].arn

  deployment_minimum_healthy_percent = each.value.service.deploymentConfiguration.minimumHealthyPercent
  deployment_maximum_percent         = each.value.service.deploymentConfiguration.maximumPercent
  health_check_grace_period_seconds  = each.value.service.healthCheckGracePeriodSeconds
  enable_execute_command             = false
  propagate_tags                     = "SERVICE"

  deployment_circuit_breaker {
    enable   = each.value.service.deploymentConfiguration.deploymentCircuitBreaker.enable
    rollback = each.value.service.deploymentConfiguration.deploymentCircuitBreaker.rollback
  }

  network_configuration {
    subnets          = var.private_subnet_ids
    security_groups  = [var.security_group_ids["service"]]
    assign_public_ip = false
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.canary[each.key].arn
    container_name   = each.value.task_definition.containerDefinitions[0].name
    container_port   = each.value.target_group.Port
  }

  tags = { workload = each.key }

  lifecycle {
    ignore_changes = [task_definition, desired_count]
  }

  # A target group is accepted once a listener forwards to it.
  depends_on = [aws_lb_listener_rule.internal, aws_lb_listener.local]
}

# Part of Airflow's role only where a workload has a canary.
resource "aws_iam_role_policy" "canary" {
  count  = length(local.canaries) > 0 ? 1 : 0
  name   = "canary"
  role   = var.role_names["airflow"]
  policy = templatefile("${var.policies}/airflow/canary.json", var.names)
}
