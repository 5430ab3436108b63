"""Scales the services of ECS by their target tracking policies."""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from moto.applicationautoscaling.models import applicationautoscaling_backends
from moto.cloudwatch.models import cloudwatch_backends
from moto.ecs.models import ecs_backends

from infra.localcloud.actions import Members
from infra.localcloud.applicationautoscaling.models import ScalingBackend
from infra.localcloud.applicationautoscaling.tracking import IN_MINUTES, Limits, Reading, Since, Step, decide
from infra.localcloud.background import report_exception
from infra.localcloud.cloudwatch.data import Grid, MetricIndex, metric_key
from infra.localcloud.cloudwatch.statistics import compute
from infra.localcloud.install import Context

DIMENSION = "ecs:service:DesiredCount"
_STEP_SECONDS = 10.0
_MINUTE = 60
_ECS_METRICS = {
    "ECSServiceAverageCPUUtilization": "CPUUtilization",
    "ECSServiceAverageMemoryUtilization": "MemoryUtilization",
}
_REQUESTS = "ALBRequestCountPerTarget"


def is_tracked(policy: Any) -> bool:
    """Whether a policy acts: it tracks a target with a metric that exists here."""
    body = policy.target_tracking_scaling_policy_configuration
    if policy.scalable_dimension != DIMENSION or not body:
        return False
    kind = body.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType")
    custom = body.get("CustomizedMetricSpecification", {})
    return kind in (*_ECS_METRICS, _REQUESTS) or bool(custom.get("MetricName"))


class Scaler:
    """Looks at every service with a policy, each ten seconds.

    Args:
        context: The server's context.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    def step(self) -> float:
        """Scales what is due; returns the seconds until the next look."""
        for account, regions in list(applicationautoscaling_backends.items()):
            for region, backend in list(regions.items()):
                if isinstance(backend, ScalingBackend) and region in ecs_backends[account]:
                    for target in list(backend.targets.get(DIMENSION, {}).values()):
                        try:
                            self._scale(backend, target)
                        except Exception:  # one service must not stop the others
                            report_exception(f"autoscaling {target.resource_id}")
        return _STEP_SECONDS

    def _scale(self, backend: ScalingBackend, target: Any) -> None:
        _, cluster, name = target.resource_id.split("/")
        ecs: Any = ecs_backends[backend.account_id][backend.region_name]
        service = ecs.scheduler.services.get(f"{cluster}:{name}")
        if service is None or service.status != "ACTIVE":
            return
        now = time.time()
        metrics: Any = cloudwatch_backends[backend.account_id][backend.region_name]
        readings = list(self._readings(backend, target.resource_id, metrics.index, now))
        suspended = target.suspended_state or {}
        limits = Limits(
            int(target.min_capacity),
            int(target.max_capacity),
            bool(suspended.get("DynamicScalingOutSuspended")),
            bool(suspended.get("DynamicScalingInSuspended")),
        )
        steps = backend.last_steps.get(target.resource_id, {})
        since = Since(now - steps.get("out", -math.inf), now - steps.get("in", -math.inf))
        step = decide(readings, service.desired_count, limits, since)
        if step:
            self._apply(backend, ecs, target.resource_id, service.desired_count, step, now)

    def _readings(self, backend: ScalingBackend, resource: str, index: MetricIndex, now: float) -> Iterator[Reading]:
        grid = Grid.before(now // _MINUTE * _MINUTE, _MINUTE, IN_MINUTES)
        for policy in list(backend.policies.values()):
            if policy.resource_id == resource and is_tracked(policy):
                body: Any = policy.target_tracking_scaling_policy_configuration
                metric, statistic = _metric(body, resource)
                data = index.between(metric, grid.start, grid.end)
                found = {start: compute(statistic, members) for start, members in grid.grouped(data).items()}
                yield Reading(
                    str(policy.policy_name),
                    float(body["TargetValue"]),
                    [found.get(start) for start in grid.times],
                    float(body.get("ScaleOutCooldown", 300)),
                    float(body.get("ScaleInCooldown", 300)),
                    not body.get("DisableScaleIn", False),
                )

    def _apply(self, backend: ScalingBackend, ecs: Any, resource: str, before: int, step: Step, now: float) -> None:
        """Changes the service, and records the activity."""
        _, cluster, name = resource.split("/")
        with self._context.state.background(ecs):
            ecs.change_service({"cluster": cluster, "service": name, "desiredCount": step.tasks})
        moment = datetime.fromtimestamp(now, UTC)
        activity: Members = {
            "ActivityId": str(uuid.uuid4()),
            "ServiceNamespace": "ecs",
            "ResourceId": resource,
            "ScalableDimension": DIMENSION,
            "Description": f"Setting desired count to {step.tasks}.",
            "Cause": f"the metric of policy {step.policy} was {step.cause}",
            "StartTime": moment,
            "EndTime": moment,
            "StatusCode": "Successful",
            "StatusMessage": f"Successfully set desired count to {step.tasks} (it was {before}).",
        }
        with self._context.state.background(backend):
            backend.record(activity, "out" if step.tasks > before else "in", now)


def _metric(body: Members, resource: str) -> tuple[Any, str]:
    """The metric of a policy, and its statistic of a minute."""
    if custom := body.get("CustomizedMetricSpecification"):
        key = metric_key(custom["Namespace"], custom["MetricName"], custom.get("Dimensions") or ())
        return key, custom.get("Statistic", "Average")
    predefined = body["PredefinedMetricSpecification"]
    if predefined["PredefinedMetricType"] == _REQUESTS:
        # app/<load balancer>/<id>/targetgroup/<target group>/<id>
        balancer, _, group = predefined["ResourceLabel"].partition("/targetgroup/")
        named = [("LoadBalancer", balancer), ("TargetGroup", f"targetgroup/{group}")]
        key = metric_key("AWS/ApplicationELB", "RequestCountPerTarget", _dimensions(named))
        return key, "Sum"
    _, cluster, name = resource.split("/")
    named = [("ClusterName", cluster), ("ServiceName", name)]
    return metric_key("AWS/ECS", _ECS_METRICS[predefined["PredefinedMetricType"]], _dimensions(named)), "Average"


def _dimensions(named: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in named]
