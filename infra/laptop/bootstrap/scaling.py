"""Scaling of a workload's service: the target and the policies of ``infra/definitions/scaling.yaml``."""

from __future__ import annotations

from typing import Any

from include.workloads import Workload
from infra.laptop.aws import Aws
from infra.laptop.bootstrap.alarms import MAX_TASKS, Dimensions
from infra.laptop.bootstrap.definitions import definition


def create(aws: Aws, workload: Workload, dimensions: Dimensions) -> None:
    """Registers the service, and puts its policies.

    On the laptop a service never has fewer tasks than its workload declares: an idle stack stays as it was made.
    """
    fewest = workload.serving.desired_count
    defined = definition(
        "scaling",
        workload=workload.name,
        min_tasks=str(fewest),
        max_tasks=str(max(fewest, MAX_TASKS)),
        load_balancer=dimensions.load_balancer,
        target_group=dimensions.target_group,
    )
    scaling, target = aws.client("application-autoscaling"), defined["target"]
    scaling.register_scalable_target(**target)
    scaled = {name: target[name] for name in ("ServiceNamespace", "ScalableDimension", "ResourceId")}
    for name, policy in defined["policies"].items():
        metric: dict[str, Any] = {"PredefinedMetricType": policy["metric"]}
        if "label" in policy:
            metric["ResourceLabel"] = policy["label"]
        scaling.put_scaling_policy(
            **scaled,
            PolicyName=f"nightjar-{workload.name}-{name}",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": policy["target"],
                "PredefinedMetricSpecification": metric,
                **defined["cooldowns"],
            },
        )
