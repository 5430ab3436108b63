"""The resources of ECS as the scheduler changes them: services, their revisions and deployments, and tasks."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from moto.core.utils import utcnow
from moto.ecs.models import Cluster, TaskDefinition

from infra.localcloud.errors import SERVER_ENDED
from infra.localcloud.jobs import Job

_EVENTS = 100
_STOP_TIMEOUT = 30.0
_CONFIGURATION_DEFAULTS: dict[str, Any] = {
    "maximumPercent": 200,
    "minimumHealthyPercent": 100,
    "strategy": "ROLLING",
    "deploymentCircuitBreaker": {"enable": False, "rollback": False},
}


def _number() -> str:
    return str(random.randrange(10**18, 10**19))


@dataclass
class ServiceRevision:
    """What the tasks of a deployment are made from."""

    service: Service
    definition: TaskDefinition
    settings: dict[str, Any]
    id: str = field(default_factory=_number)
    created_at: datetime = field(default_factory=utcnow)

    @property
    def arn(self) -> str:
        """The revision's ARN."""
        return f"{self.service.arn.replace(':service/', ':service-revision/')}/{self.id}"


@dataclass
class ServiceDeployment:
    """The record of one rollout, kept after its end. Its ``status`` is the rollout's result."""

    service: Service
    target: ServiceRevision
    sources: list[ServiceRevision]
    threshold: int
    configuration: dict[str, Any]
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:20])
    status: str = "PENDING"
    reason: str = ""
    created_at: datetime = field(default_factory=utcnow)
    updated_at: datetime = field(default_factory=utcnow)
    started_at: datetime | None = None
    finished_at: datetime | None = None
    stopped_at: datetime | None = None
    rollback: dict[str, Any] | None = None
    failures: int = 0
    circuit_broken: bool = False

    @property
    def arn(self) -> str:
        """The service deployment's ARN."""
        return f"{self.service.arn.replace(':service/', ':service-deployment/')}/{self.id}"

    @property
    def is_over(self) -> bool:
        """Whether the rollout has ended."""
        return self.finished_at is not None

    def set_status(self, status: str, reason: str = "", *, over: bool = False) -> None:
        """Changes the status now; ``over`` ends the rollout."""
        self.status, self.updated_at = status, utcnow()
        self.reason = reason or self.reason
        if self.started_at is None:
            self.started_at = self.updated_at
        if over:
            self.finished_at = self.updated_at
            if status == "STOPPED":
                self.stopped_at = self.updated_at


class Deployment:
    """One entry of a service's ``deployments``: PRIMARY is the desired one, ACTIVE ones are being replaced."""

    RUNTIME: ClassVar[dict[str, Any]] = {"retry_at": 0.0}

    def __init__(self, service: Service, revision: ServiceRevision, rollout: ServiceDeployment) -> None:
        self.service = service
        self.revision = revision
        self.rollout = rollout
        self.id = f"ecs-svc/{_number()}"
        self.status = "PRIMARY"
        self.created_at = self.updated_at = utcnow()
        self.rollout_state = "IN_PROGRESS"
        self.rollout_reason = f"ECS deployment {self.id} in progress."
        self.failed_tasks = 0
        self.failures_in_a_row = 0
        self.retry_at = 0.0  # time.monotonic() before which no task is started

    def set_rollout_state(self, state: str, reason: str) -> None:
        """Changes the rollout state now."""
        self.rollout_state, self.rollout_reason, self.updated_at = state, reason, utcnow()


@dataclass
class ContainerRun:
    """One container of a task. ``job`` is None until its process was started, and after a restart of the server."""

    RUNTIME: ClassVar[dict[str, Any]] = {"job": None}

    definition: dict[str, Any]
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    job: Job | None = None
    ended: tuple[str, int | None] | None = None

    @property
    def runtime_id(self) -> str | None:
        """The number of its process."""
        if self.ended:
            return self.ended[0]
        return str(self.job.pid) if self.job else None

    @property
    def exit_code(self) -> int | None:
        """As Docker reports it: 128 + the signal's number for a process that a signal ended."""
        if self.ended:
            return self.ended[1]
        code = self.job.returncode if self.job else None
        return 128 - code if code is not None and code < 0 else code

    def keep_end(self) -> None:
        """Keeps what is shown of its process, which is not stored."""
        if self.job:
            self.ended = str(self.job.pid), self.exit_code


class Task:
    """One task.

    ``last_status`` is PENDING, RUNNING, DEACTIVATING (the load balancer drains it), STOPPING or STOPPED.
    """

    RUNTIME: ClassVar[dict[str, Any]] = {"running_since": 0.0}

    def __init__(
        self,
        cluster: Cluster,
        definition: TaskDefinition,
        account: str,
        region: str,
        request: dict[str, Any],
        deployment: Deployment | None,
    ) -> None:
        self.id = uuid.uuid4().hex
        self.cluster = cluster
        self.arn = f"arn:aws:ecs:{region}:{account}:task/{cluster.name}/{self.id}"
        self.definition = definition
        self.request = request
        self.deployment = deployment
        self.address: str | None = None
        self.last_status = "PENDING"
        self.desired_status = "RUNNING"
        self.created_at = utcnow()
        self.started_at: datetime | None = None
        self.stopping_at: datetime | None = None
        self.stopped_at: datetime | None = None
        self.stop_code: str | None = None
        self.stopped_reason: str | None = None
        self.launched = False
        self.failure: str | None = None
        self.running_since = 0.0  # time.monotonic()
        self.registered: list[tuple[str, int]] = []  # target group ARN and port
        self.was_healthy = False
        self.containers = [ContainerRun(container) for container in definition.container_definitions]

    @property
    def is_live(self) -> bool:
        """Whether it is starting or running, and shall go on."""
        return self.desired_status == "RUNNING" and self.last_status in ("PENDING", "RUNNING")

    @property
    def started_by(self) -> str | None:
        """The deployment's id, or ``startedBy`` of RunTask."""
        return self.deployment.id if self.deployment else self.request.get("startedBy")

    def restored(self) -> None:
        """Ends a task whose processes ended with the server."""
        if self.last_status == "STOPPED":
            return
        self.last_status = self.desired_status = "STOPPED"
        self.stopped_reason = self.stopped_reason or SERVER_ENDED
        self.stop_code = self.stop_code or ("ServiceSchedulerInitiated" if self.deployment else "TerminationNotice")
        self.stopped_at = utcnow()
        self.stopping_at = self.stopping_at or self.stopped_at
        self.registered, self.launched = [], True

    def end(self) -> None:
        """Sends every process SIGTERM, and SIGKILL after its container's stopTimeout."""
        for container in self.containers:
            if container.job:
                container.job.stop(float(container.definition.get("stopTimeout") or _STOP_TIMEOUT))

    def is_over(self) -> bool:
        """Whether it was launched and no process runs."""
        return self.launched and all(c.job is None or c.job.poll() is not None for c in self.containers)

    def exited(self) -> Job | None:
        """The process of the first essential container whose process has ended."""
        for container in self.containers:
            if container.job and container.job.poll() is not None and container.definition.get("essential", True):
                return container.job
        return None


class Service:
    """A service: its settings, deployments, tasks and events.

    ``settings`` is the CreateService request, updated by every UpdateService.
    """

    def __init__(
        self, cluster: Cluster, settings: dict[str, Any], definition: TaskDefinition, account: str, region: str
    ) -> None:
        self.cluster = cluster
        self.name: str = settings["serviceName"]
        self.arn = f"arn:aws:ecs:{region}:{account}:service/{cluster.name}/{self.name}"
        self.settings = dict(settings)
        self.definition = definition
        self.desired_count = int(settings.get("desiredCount") or 0)
        self.status = "ACTIVE"
        self.created_at = utcnow()
        self.tags: list[dict[str, str]] = settings.get("tags") or []
        self.events: list[dict[str, Any]] = []  # newest first
        self.tasks: list[Task] = []
        self.deployments: list[Deployment] = []  # the PRIMARY one first
        self.rollouts: list[ServiceDeployment] = []  # newest first
        self.revisions: list[ServiceRevision] = []
        self.last_completed: Deployment | None = None
        self.is_steady = False
        self.task_sets: list[Any] = []  # read by moto; always empty, because task sets are refused

    @property
    def configuration(self) -> dict[str, Any]:
        """DeploymentConfiguration with its defaults; the circuit breaker is off unless the request enables it."""
        return {**_CONFIGURATION_DEFAULTS, **(self.settings.get("deploymentConfiguration") or {})}

    @property
    def load_balancers(self) -> list[dict[str, Any]]:
        """The target groups with which its tasks are registered, and their container ports."""
        return self.settings.get("loadBalancers") or []

    @property
    def primary(self) -> Deployment:
        """The PRIMARY deployment."""
        return self.deployments[0]

    def restored(self) -> None:
        """Has no tasks after a start of the server: the scheduler starts them anew."""
        self.tasks = []
        self.is_steady = False

    def add_event(self, message: str) -> None:
        """Adds an event; only the newest are kept."""
        self.events.insert(
            0, {"id": str(uuid.uuid4()), "createdAt": utcnow(), "message": f"(service {self.name}) {message}"}
        )
        del self.events[_EVENTS:]

    def promote(self, deployment: Deployment) -> None:
        """Makes the deployment PRIMARY and the others ACTIVE."""
        others = [d for d in self.deployments if d is not deployment]
        for other in others:
            other.status, other.updated_at = "ACTIVE", utcnow()
        deployment.status = "PRIMARY"
        self.deployments = [deployment, *others]
        self.is_steady = False
