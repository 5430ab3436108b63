"""A service: what was asked for, its deployments and its events."""

from __future__ import annotations

import uuid
from typing import Any

from moto.core.utils import utcnow

from .deployment import Deployment, Revision, ServiceDeployment, threshold
from .tasks import Task

_EVENTS = 100
_DEFAULTS = {"maximumPercent": 200, "minimumHealthyPercent": 100, "strategy": "ROLLING"}
# What a change of starts a new deployment; everything else only changes the service.
DEPLOYED = (
    "taskDefinition",
    "networkConfiguration",
    "loadBalancers",
    "platformVersion",
    "capacityProviderStrategy",
    "propagateTags",
)


class Service:
    """``settings`` is the CreateService request with every later UpdateService laid over it."""

    def __init__(self, cluster: Any, settings: dict[str, Any], definition: Any, account: str, region: str) -> None:
        self.cluster = cluster
        self.name: str = settings["serviceName"]
        self.arn = f"arn:aws:ecs:{region}:{account}:service/{cluster.name}/{self.name}"
        self.settings = dict(settings)
        self.definition = definition
        self.desired = int(settings.get("desiredCount") or 0)
        self.status = "ACTIVE"
        self.created_at = utcnow()
        self.tags: list[dict[str, str]] = settings.get("tags") or []
        self.events: list[dict[str, Any]] = []
        self.tasks: list[Task] = []
        self.deployments: list[Deployment] = []
        self.history: list[ServiceDeployment] = []
        self.revisions: list[Revision] = []
        self.completed: Deployment | None = None
        self.steady = False
        self.task_sets: list[Any] = []

    @property
    def configuration(self) -> dict[str, Any]:
        """deploymentConfiguration with its defaults; a circuit breaker that was not asked for is off."""
        given = self.settings.get("deploymentConfiguration") or {}
        off = {"deploymentCircuitBreaker": {"enable": False, "rollback": False}}
        return {**_DEFAULTS, **off, **given}

    @property
    def load_balancers(self) -> list[dict[str, Any]]:
        return self.settings.get("loadBalancers") or []

    @property
    def primary(self) -> Deployment:
        return self.deployments[0]

    def event(self, message: str) -> None:
        """Newest first, as ECS lists them."""
        self.events.insert(
            0, {"id": str(uuid.uuid4()), "createdAt": utcnow(), "message": f"(service {self.name}) {message}"}
        )
        del self.events[_EVENTS:]

    def deploy(self, definition: Any) -> Deployment:
        """A new PRIMARY deployment of ``definition``; the one under way, if any, is superseded."""
        self.definition = definition
        revision = Revision(self, definition, dict(self.settings))
        self.revisions.append(revision)
        sources = [d.revision for d in self.deployments if any(t.deployment is d and t.is_live for t in self.tasks)]
        record = ServiceDeployment(self, revision, sources, threshold(self.desired), self.configuration)
        for superseded in self.history:
            if not superseded.is_over:
                superseded.move(
                    "STOPPED", "Service deployment stopped because another service deployment was started.", over=True
                )
        self.history.insert(0, record)
        return self.promote(Deployment(self, revision, record))

    def promote(self, deployment: Deployment) -> Deployment:
        """Makes it PRIMARY, the others ACTIVE."""
        others = [d for d in self.deployments if d is not deployment]
        for other in others:
            other.status, other.updated_at = "ACTIVE", utcnow()
        deployment.status = "PRIMARY"
        self.deployments = [deployment, *others]
        self.steady = False
        return deployment

    def describe(self) -> dict[str, Any]:
        """As DescribeServices says it."""
        kept = {name: value for name, value in self.settings.items() if name in _KEPT and value is not None}
        current = next((record.arn for record in self.history if not record.is_over), None)
        revisions = {d.revision.arn: d for d in self.deployments}
        said = {
            "launchType": "FARGATE",
            "platformVersion": "LATEST",
            "schedulingStrategy": "REPLICA",
            "deploymentController": {"type": "ECS"},
            "propagateTags": "NONE",
            "enableECSManagedTags": False,
            "enableExecuteCommand": False,
            "loadBalancers": [],
            "serviceRegistries": [],
            "placementConstraints": [],
            "placementStrategy": [],
            **kept,
            "serviceArn": self.arn,
            "serviceName": self.name,
            "clusterArn": self.cluster.arn,
            "status": self.status,
            "desiredCount": self.desired,
            "runningCount": sum(t.last_status == "RUNNING" for t in self.tasks),
            "pendingCount": sum(t.last_status == "PENDING" for t in self.tasks),
            "taskDefinition": self.definition.arn,
            "deploymentConfiguration": self.configuration,
            "deployments": [d.describe() for d in self.deployments],
            "events": list(self.events),
            "createdAt": self.created_at,
            "roleArn": self.settings.get("role"),
            "currentServiceDeployment": current,
            "currentServiceRevisions": [
                {
                    "arn": arn,
                    "requestedTaskCount": told["desiredCount"],
                    "runningTaskCount": told["runningCount"],
                    "pendingTaskCount": told["pendingCount"],
                }
                for arn, told in ((arn, d.describe()) for arn, d in revisions.items())
            ],
            "tags": self.tags,
        }
        return {name: value for name, value in said.items() if value is not None}


_KEPT = {
    "launchType",
    "capacityProviderStrategy",
    "platformVersion",
    "loadBalancers",
    "networkConfiguration",
    "healthCheckGracePeriodSeconds",
    "schedulingStrategy",
    "deploymentController",
    "enableECSManagedTags",
    "propagateTags",
    "enableExecuteCommand",
    "availabilityZoneRebalancing",
    "placementConstraints",
    "placementStrategy",
}
