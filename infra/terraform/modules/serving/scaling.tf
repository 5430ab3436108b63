# A service has between service_min_tasks and service_max_tasks (infra/definitions/scaling.yaml).
locals {
  # What only an apply makes known has a token while the file is decoded, so that a plan shows everything else.
  scaling_label = "(load balancer)/(target group)"
  scaling = {
    for name in keys(local.released) : name => yamldecode(templatefile("${var.definitions}/scaling.yaml", merge(var.names, {
      workload      = name
      min_tasks     = var.sizes.service_min_tasks
      max_tasks     = max(var.sizes.service_max_tasks, var.workloads[name].serving.desired_count)
      load_balancer = "(load balancer)"
      target_group  = "(target group)"
    })))
  }
  scaling_policies = merge([
    for name, scaling in local.scaling : {
      for policy, tracked in scaling.policies : "${name}/${policy}" => {
        workload = name, name = policy, metric = tracked.metric, target = tracked.target, label = try(tracked.label, null)
      }
    }
  ]...)
}

resource "aws_appautoscaling_target" "this" {
  for_each           = local.scaling
  service_namespace  = each.value.target.ServiceNamespace
  scalable_dimension = each.value.target.ScalableDimension
  resource_id        = each.value.target.ResourceId
  min_capacity       = each.value.target.MinCapacity
  max_capacity       = each.value.target.MaxCapacity
  tags               = { workload = each.key }

  depends_on = [aws_ecs_service.this]
}

resource "aws_appautoscaling_policy" "this" {
  for_each           = local.scaling_policies
  name               = "nightjar-${each.value.workload}-${each.value.name}"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this[each.value.workload].service_namespace
  scalable_dimension = aws_appautoscaling_target.this[each.value.workload].scalable_dimension
  resource_id        = aws_appautoscaling_target.this[each.value.workload].resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = each.value.target
    scale_out_cooldown = local.scaling[each.value.workload].cooldowns.ScaleOutCooldown
    scale_in_cooldown  = local.scaling[each.value.workload].cooldowns.ScaleInCooldown

    predefined_metric_specification {
      predefined_metric_type = each.value.metric
      resource_label = (
        each.value.label == local.scaling_label
        ? "${aws_lb.this.arn_suffix}/${aws_lb_target_group.this[each.value.workload].arn_suffix}"
        : null
      )
    }
  }
}
