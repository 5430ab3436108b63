"""Where tasks run: on Fargate, which is this machine; there are no instances."""

from __future__ import annotations

from typing import Any

from moto.ecs.exceptions import InvalidParameterException
from moto.ecs.models import Cluster, TaskDefinition

_FARGATE = {"FARGATE", "FARGATE_SPOT"}


def check(request: dict[str, Any], cluster: Cluster, definition: TaskDefinition) -> None:
    """Refuses tasks that need an instance, before any is started.

    As on AWS, a request without a launch type follows the cluster's default strategy; without one it means EC2.

    Raises:
        InvalidParameterException: The tasks need an instance, or the task definition does not suit Fargate.
    """
    strategy = request.get("capacityProviderStrategy") or []
    if not strategy and not request.get("launchType"):
        strategy = cluster.default_capacity_provider_strategy or []
    providers = {str(item.get("capacityProvider")) for item in strategy}
    if other := sorted(providers - _FARGATE):
        raise InvalidParameterException(
            f"The capacity provider {other[0]} was not found: there are FARGATE and FARGATE_SPOT here."
        )
    if not providers and request.get("launchType") != "FARGATE":
        raise InvalidParameterException(
            "No Container Instances were found in your cluster. There are none here: use the launch type FARGATE."
        )
    if not _suits_fargate(definition):
        raise InvalidParameterException("Task definition does not support launch_type FARGATE.")


def _suits_fargate(definition: TaskDefinition) -> bool:
    if definition.requires_compatibilities:
        return "FARGATE" in definition.requires_compatibilities
    return definition.network_mode == "awsvpc" and bool(definition.cpu and definition.memory)
