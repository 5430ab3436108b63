"""A container beside the service that takes its CPU or its memory."""

from __future__ import annotations

import time
from typing import Any, ClassVar

from include.lake import resources
from infra.laptop.config import LaptopError
from infra.laptop.drills.cause import Cause
from infra.laptop.drills.target import CLUSTER, Target

_NAME = "drill"
_STABLE_SECONDS = 180.0
_KEPT = (
    "containerDefinitions", "cpu", "memory", "networkMode", "volumes", "requiresCompatibilities", "taskRoleArn",
    "executionRoleArn",
)  # fmt: skip


class Sidecar(Cause):
    """Rolls the service out with one more container in each task, and back.

    Attributes:
        code: What the container runs, in Python; ``{memory}`` is the task's memory in MiB.
    """

    code: ClassVar[str]

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self._before: str | None = None

    @property
    def service(self) -> str:
        """The service's name."""
        return resources.service_name(self.target.workload.name)

    def prepare(self) -> None:
        """Refuses to begin where a killed drill, or a rollout, is in the way.

        Raises:
            LaptopError: The service runs a drill's task definition, or is being rolled out.
        """
        service = self._described()
        if f"/{self.service}-{_NAME}:" in service["taskDefinition"]:
            raise LaptopError(
                f"{self.service} still runs the task definition of a drill that was killed. Run `make deploy "
                f"WORKLOAD={self.target.workload.name} VERSION=live`, then repeat the drill."
            )
        if len(service["deployments"]) > 1:
            raise LaptopError(f"{self.service} is being rolled out. Repeat the drill when that has ended.")

    def begin(self) -> None:
        """Rolls the service out with the container."""
        ecs, before = self.target.aws.ecs, self._described()["taskDefinition"]
        current = ecs.describe_task_definition(taskDefinition=before)["taskDefinition"]
        members: dict[str, Any] = {name: current[name] for name in _KEPT if current.get(name)}
        service = members["containerDefinitions"][0]
        beside = {
            "name": _NAME,
            "image": service["image"],
            "essential": False,
            "command": ["python", "-c", self.code.replace("{memory}", str(current["memory"]))],
            "logConfiguration": service["logConfiguration"],
        }
        members["containerDefinitions"] = [*members["containerDefinitions"], beside]
        made = ecs.register_task_definition(family=f"{self.service}-{_NAME}", **members)["taskDefinition"]
        self._before = before
        self._suspend_scaling(True)
        self._roll(made["taskDefinitionArn"])

    def end(self) -> None:
        """Rolls the service back."""
        if self._before:
            before, self._before = self._before, None
            self._roll(before)
            self._suspend_scaling(False)

    def _suspend_scaling(self, suspended: bool) -> None:
        """Autoscaling would add tasks, each with the container, as long as the drill lasts."""
        scaling = self.target.aws.client("application-autoscaling")
        resource = f"service/{CLUSTER}/{self.service}"
        for known in scaling.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=[resource])[
            "ScalableTargets"
        ]:
            named = {name: known[name] for name in ("ServiceNamespace", "ResourceId", "ScalableDimension")}
            scaling.register_scalable_target(**named, SuspendedState={"DynamicScalingOutSuspended": suspended})

    def _roll(self, definition: str) -> None:
        ecs = self.target.aws.ecs
        ecs.update_service(cluster=CLUSTER, service=self.service, taskDefinition=definition)
        deadline = time.monotonic() + _STABLE_SECONDS
        while True:
            service = self._described()
            primary = service["deployments"][0]
            if len(service["deployments"]) == 1 and primary["rolloutState"] == "COMPLETED":
                return
            if time.monotonic() > deadline:
                raise LaptopError(
                    f"{self.service} was not rolled out to {definition} within {_STABLE_SECONDS:.0f} s: "
                    f"{primary.get('rolloutStateReason')}"
                )
            time.sleep(0.5)

    def _described(self) -> dict[str, Any]:
        found = self.target.aws.ecs.describe_services(cluster=CLUSTER, services=[self.service])["services"]
        service: dict[str, Any] = found[0]
        return service


class BusyCpu(Sidecar):
    """A loop that never waits."""

    code = "while True: pass"


class FullMemory(Sidecar):
    """Memory that is taken and kept: with the service's own, more than four fifths of the task's."""

    code = "import time; kept = bytearray(b'x') * ({memory} * 1048576 * 3 // 4); time.sleep(86400)"
