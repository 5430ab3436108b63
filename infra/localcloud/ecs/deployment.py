"""What a service deploys: revisions, deployments as DescribeServices tells them, and service deployments with their verdict."""

from __future__ import annotations

import math
import random
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moto.core.utils import utcnow


def _number() -> str:
    return str(random.randrange(10**18, 10**19))


@dataclass
class Revision:
    """A service revision: what tasks are made from."""

    service: Any
    definition: Any
    settings: dict[str, Any]
    identity: str = field(default_factory=_number)
    created_at: datetime = field(default_factory=utcnow)

    @property
    def arn(self) -> str:
        return f"{self.service.arn.replace(':service/', ':service-revision/')}/{self.identity}"

    def describe(self) -> dict[str, Any]:
        images = [{"containerName": c["name"], "image": c["image"]} for c in self.definition.container_definitions]
        return {
            "serviceRevisionArn": self.arn,
            "serviceArn": self.service.arn,
            "clusterArn": self.service.cluster.arn,
            "taskDefinition": self.definition.arn,
            "launchType": self.settings.get("launchType", "FARGATE"),
            "platformVersion": self.settings.get("platformVersion", "LATEST"),
            "loadBalancers": self.settings.get("loadBalancers", []),
            "networkConfiguration": self.settings.get("networkConfiguration", {}),
            "containerImages": images,
            "createdAt": self.created_at,
        }


@dataclass
class ServiceDeployment:
    """The record of one rollout, kept after it ended; ``status`` is the verdict that a caller should trust."""

    service: Any
    target: Revision
    sources: list[Revision]
    threshold: int
    configuration: dict[str, Any]
    identity: str = field(default_factory=lambda: uuid.uuid4().hex[:20])
    status: str = "PENDING"
    reason: str = ""
    created_at: datetime = field(default_factory=utcnow)
    updated_at: datetime = field(default_factory=utcnow)
    started_at: datetime | None = None
    finished_at: datetime | None = None
    stopped_at: datetime | None = None
    rollback: dict[str, Any] | None = None
    failures: int = 0
    tripped: bool = False

    @property
    def arn(self) -> str:
        return f"{self.service.arn.replace(':service/', ':service-deployment/')}/{self.identity}"

    @property
    def is_over(self) -> bool:
        return self.finished_at is not None

    def move(self, status: str, reason: str = "", *, over: bool = False) -> None:
        """To another status, now."""
        self.status, self.updated_at = status, utcnow()
        self.reason = reason or self.reason
        if self.started_at is None:
            self.started_at = self.updated_at
        if over:
            self.finished_at = self.updated_at
            if status == "STOPPED":
                self.stopped_at = self.updated_at

    def brief(self) -> dict[str, Any]:
        """As ListServiceDeployments says it."""
        said = {
            "serviceDeploymentArn": self.arn,
            "serviceArn": self.service.arn,
            "clusterArn": self.service.cluster.arn,
            "createdAt": self.created_at,
            "startedAt": self.started_at,
            "finishedAt": self.finished_at,
            "targetServiceRevisionArn": self.target.arn,
            "status": self.status,
            "statusReason": self.reason or None,
        }
        return {name: value for name, value in said.items() if value is not None}

    def describe(self) -> dict[str, Any]:
        """As DescribeServiceDeployments says it."""
        breaker = self.configuration.get("deploymentCircuitBreaker") or {}
        watching = "MONITORING_COMPLETE" if self.is_over else "MONITORING"
        state = "DISABLED" if not breaker.get("enable") else "TRIGGERED" if self.tripped else watching
        said = {
            **self.brief(),
            "updatedAt": self.updated_at,
            "stoppedAt": self.stopped_at,
            "sourceServiceRevisions": [self._counted(source) for source in self.sources],
            "targetServiceRevision": self._counted(self.target),
            "deploymentConfiguration": self.configuration,
            "rollback": self.rollback,
            "deploymentCircuitBreaker": {"status": state, "failureCount": self.failures, "threshold": self.threshold},
        }
        said.pop("targetServiceRevisionArn")
        return {name: value for name, value in said.items() if value is not None}

    def _counted(self, revision: Revision) -> dict[str, Any]:
        tasks = [t for t in self.service.tasks if t.deployment and t.deployment.revision is revision]
        return {
            "arn": revision.arn,
            "requestedTaskCount": self.service.desired if revision is self.target else 0,
            "runningTaskCount": sum(t.last_status == "RUNNING" for t in tasks),
            "pendingTaskCount": sum(t.last_status == "PENDING" for t in tasks),
        }


class Deployment:
    """One entry of a service's ``deployments``: PRIMARY is the one wanted, ACTIVE ones are on their way out."""

    def __init__(self, service: Any, revision: Revision, record: ServiceDeployment) -> None:
        self.service = service
        self.revision = revision
        self.record = record
        self.id = f"ecs-svc/{_number()}"
        self.status = "PRIMARY"
        self.created_at = self.updated_at = utcnow()
        self.rollout_state = "IN_PROGRESS"
        self.rollout_reason = f"ECS deployment {self.id} in progress."
        self.failed_tasks = 0
        self.failures_in_a_row = 0
        self.retry_at = 0.0

    def roll(self, state: str, reason: str) -> None:
        self.rollout_state, self.rollout_reason, self.updated_at = state, reason, utcnow()

    def describe(self) -> dict[str, Any]:
        tasks = [t for t in self.service.tasks if t.deployment is self]
        settings = self.revision.settings
        return {
            "id": self.id,
            "status": self.status,
            "taskDefinition": self.revision.definition.arn,
            "desiredCount": self.service.desired if self.status == "PRIMARY" else sum(t.is_live for t in tasks),
            "runningCount": sum(t.last_status == "RUNNING" for t in tasks),
            "pendingCount": sum(t.last_status == "PENDING" for t in tasks),
            "failedTasks": self.failed_tasks,
            "createdAt": self.created_at,
            "updatedAt": self.updated_at,
            "launchType": settings.get("launchType", "FARGATE"),
            "platformVersion": settings.get("platformVersion", "LATEST"),
            "networkConfiguration": settings.get("networkConfiguration", {}),
            "rolloutState": self.rollout_state,
            "rolloutStateReason": self.rollout_reason,
        }


def threshold(desired: int) -> int:
    """Failed tasks that trip the circuit breaker: half of the desired count, at least 3 and at most 200 (ECS developer guide)."""
    return max(3, min(200, math.ceil(desired * 0.5)))


def backoff(failures: int) -> float:
    """Seconds until the next start after so many failures in a row; the first three cost nothing, as on ECS."""
    return 0.0 if failures < 4 else min(60.0, 2.0 ** (failures - 4))
