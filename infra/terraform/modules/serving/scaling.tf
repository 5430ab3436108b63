# A service has between service_min_tasks and service_max_tasks. Until the first deploy it has none: without tasks there
# are no metrics, and without metrics no policy acts.
resource "aws_appautoscaling_target" "this" {
  for_each           = aws_ecs_service.this
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${aws_ecs_cluster.this.name}/${each.value.name}"
  min_capacity       = var.sizes.service_min_tasks
  max_capacity       = max(var.sizes.service_max_tasks, var.workloads[each.key].serving.desired_count)
  tags               = { workload = each.key }
}

locals {
  # Target values; the highest number of tasks that any policy asks for wins. The alarms at 80 % leave room for the
  # minutes until a new task serves.
  scaling = {
    cpu      = { metric = "ECSServiceAverageCPUUtilization", target = 60 }
    memory   = { metric = "ECSServiceAverageMemoryUtilization", target = 70 }
    requests = { metric = "ALBRequestCountPerTarget", target = 12000 } # a minute: 200 a second
  }
  scaling_policies = {
    for pair in setproduct(keys(aws_appautoscaling_target.this), keys(local.scaling)) :
    "${pair[0]}/${pair[1]}" => merge(local.scaling[pair[1]], { workload = pair[0], name = pair[1] })
  }
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
    scale_out_cooldown = 60
    scale_in_cooldown  = 300 # removing tasks too early costs latency, too late only money

    predefined_metric_specification {
      predefined_metric_type = each.value.metric
      resource_label = (
        each.value.name == "requests"
        ? "${aws_lb.this.arn_suffix}/${aws_lb_target_group.this[each.value.workload].arn_suffix}"
        : null
      )
    }
  }
}
