"""A task: the processes of its containers on one address, from start to stop."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moto.core.utils import utcnow

from ..install import Context
from ..jobs import Job
from . import valuefrom
from .addresses import Addresses

_STOP_TIMEOUT = 30.0


@dataclass
class ContainerRun:
    """One container of a task. ``job`` is None until its process was started."""

    definition: dict[str, Any]
    identity: str = field(default_factory=lambda: str(uuid.uuid4()))
    job: Job | None = None

    @property
    def exit_code(self) -> int | None:
        """As Docker tells it: 128 + the signal's number for a process ended by a signal."""
        code = self.job.returncode if self.job else None
        return 128 - code if code is not None and code < 0 else code


class Task:
    """One task. The scheduler moves it: PENDING, RUNNING, DEACTIVATING (drained by the load balancer), STOPPING, STOPPED."""

    def __init__(self, cluster: Any, definition: Any, account: str, region: str, request: dict[str, Any]) -> None:
        self.id = uuid.uuid4().hex
        self.cluster = cluster
        self.arn = f"arn:aws:ecs:{region}:{account}:task/{cluster.name}/{self.id}"
        self.definition = definition
        self.request = request
        self.deployment: Any = None
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
        self.running_since = 0.0
        self.registered: list[tuple[str, int]] = []
        self.was_healthy = False
        self.containers = [ContainerRun(container) for container in definition.container_definitions]

    @property
    def is_live(self) -> bool:
        """Wanted, and not over."""
        return self.desired_status == "RUNNING" and self.last_status in ("PENDING", "RUNNING")

    def launch(self, context: Context, addresses: Addresses) -> None:
        """Starts the processes; what goes wrong is left in ``failure``. Takes as long as the secrets take to read."""
        try:
            ports = {int(m["containerPort"]) for c in self.containers for m in c.definition.get("portMappings") or []}
            self.address = addresses.take(ports)
            for container in self.containers:
                self._start(context, container)
        except Exception as error:  # the task failed to start, whatever it was; its text is the task's stoppedReason
            self.failure = str(error)
            self.end()
        self.launched = True

    def end(self) -> None:
        """SIGTERM to all processes, SIGKILL after each one's stopTimeout."""
        for container in self.containers:
            if container.job:
                container.job.stop(float(container.definition.get("stopTimeout") or _STOP_TIMEOUT))

    def is_over(self) -> bool:
        """Whether no process runs."""
        return self.launched and all(c.job is None or c.job.poll() is not None for c in self.containers)

    def exited(self) -> ContainerRun | None:
        """The first essential container whose process has ended."""
        ended = (
            c for c in self.containers if c.job and c.job.poll() is not None and c.definition.get("essential", True)
        )
        return next(ended, None)

    def _start(self, context: Context, container: ContainerRun) -> None:
        definition = container.definition
        overrides = self.request.get("overrides") or {}
        override = next(
            (o for o in overrides.get("containerOverrides") or [] if o.get("name") == definition["name"]), {}
        )
        image = context.config.image(definition["image"])
        port = next((int(m["containerPort"]) for m in definition.get("portMappings") or []), 0)
        command = (definition.get("entryPoint") or []) + (override.get("command") or definition.get("command") or [])
        # In a container's own network 0.0.0.0 is the task's address; here it would be every task's.
        command = [self.address if word == "0.0.0.0" else word for word in command]
        argv = image.argv(command, host=self.address, port=port)
        environment = {
            name: value.replace("{host}", str(self.address)).replace("{port}", str(port))
            for name, value in image.env.items()
        }
        for pair in (definition.get("environment") or []) + (override.get("environment") or []):
            environment[pair["name"]] = pair["value"]
        execution_role = overrides.get("executionRoleArn") or getattr(self.definition, "execution_role_arn", None)
        for secret in definition.get("secrets") or []:
            environment[secret["name"]] = valuefrom.read(context, execution_role, secret["valueFrom"])
        group, stream = self._log(definition)
        container.job = context.runner.start(
            f"{self.definition.family}/{self.id}",
            argv,
            cwd=image.cwd,
            env=environment,
            role_arn=overrides.get("taskRoleArn") or getattr(self.definition, "task_role_arn", None),
            log_group=group,
            log_stream=stream,
            address=self.address,
        )

    def _log(self, definition: dict[str, Any]) -> tuple[str, str]:
        options = (definition.get("logConfiguration") or {}).get("options") or {}
        group = options.get("awslogs-group") or f"/local/ecs/{self.definition.family}"
        prefix = options.get("awslogs-stream-prefix")
        stream = f"{prefix}/{definition['name']}/{self.id}" if prefix else f"{definition['name']}/{self.id}"
        return group, stream

    def describe(self) -> dict[str, Any]:
        """As DescribeTasks says it."""
        eni = {
            "id": self.id,
            "type": "ElasticNetworkInterface",
            "status": "ATTACHED" if self.last_status != "STOPPED" else "DELETED",
            "details": [{"name": "privateIPv4Address", "value": self.address}] if self.address else [],
        }
        described = {
            "taskArn": self.arn,
            "clusterArn": self.cluster.arn,
            "taskDefinitionArn": self.definition.arn,
            "lastStatus": self.last_status,
            "desiredStatus": self.desired_status,
            # Container health checks (a command in the container) are not run, so nothing is known.
            "healthStatus": "UNKNOWN",
            "launchType": self.request.get("launchType") or "FARGATE",
            "group": self.request.get("group") or f"family:{self.definition.family}",
            "startedBy": self.deployment.id if self.deployment else self.request.get("startedBy"),
            "cpu": self.definition.cpu,
            "memory": self.definition.memory,
            "createdAt": self.created_at,
            "startedAt": self.started_at,
            "stoppingAt": self.stopping_at,
            "stoppedAt": self.stopped_at,
            "stopCode": self.stop_code,
            "stoppedReason": self.stopped_reason,
            "overrides": self.request.get("overrides")
            or {"containerOverrides": [], "inferenceAcceleratorOverrides": []},
            "attachments": [eni],
            "tags": self.request.get("tags") or [],
            "version": 1,
            "containers": [self._describe(container) for container in self.containers],
        }
        return {name: value for name, value in described.items() if value is not None}

    def _describe(self, container: ContainerRun) -> dict[str, Any]:
        running = container.job is not None and container.job.poll() is None
        described = {
            "containerArn": self.arn.replace(":task/", ":container/") + f"/{container.identity}",
            "taskArn": self.arn,
            "name": container.definition["name"],
            "image": container.definition["image"],
            "lastStatus": "RUNNING" if running else "PENDING" if self.last_status == "PENDING" else "STOPPED",
            "healthStatus": "UNKNOWN",
            "networkInterfaces": [{"attachmentId": self.id, "privateIpv4Address": self.address}]
            if self.address
            else [],
            "runtimeId": str(container.job.pid) if container.job else None,
            "exitCode": container.exit_code,
            "reason": self.failure,
        }
        return {name: value for name, value in described.items() if value is not None}
