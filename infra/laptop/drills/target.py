"""The running stack, as causes use it: clients, the service of the workload, and requests that it accepts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from include.lake import resources
from include.settings import Settings
from include.workloads import FieldSpec, Workload
from infra.laptop import registry, summary
from infra.laptop.aws import Aws
from infra.laptop.config import LaptopConfig, LaptopError
from infra.laptop.stages import STATE_TABLE

CLUSTER: str = Settings.model_fields["ecs_cluster"].default


@dataclass
class Target:
    """The stack.

    Attributes:
        config: Its settings.
        aws: Clients of its local cloud.
        workload: The workload whose service is used.
        say: Prints a line.
    """

    config: LaptopConfig
    aws: Aws
    workload: Workload
    say: Callable[[str], None]

    @cached_property
    def url(self) -> str:
        """The service, through its load balancer."""
        name = resources.service_url_parameter(self.workload.name)
        return str(self.aws.ssm.get_parameter(Name=name)["Parameter"]["Value"])

    @cached_property
    def record(self) -> dict[str, Any]:
        """A request that the live version accepts.

        Raises:
            LaptopError: No version is live.
        """
        pointer = registry.live(self.aws, STATE_TABLE, self.workload.name)
        found = pointer and summary.sample_row(self.aws, self.workload.name, pointer)
        if not found:
            raise LaptopError(f"No version of {self.workload.name} is live. Deploy one with `make run`, then repeat.")
        request: dict[str, Any] = found["request"]
        return request

    @property
    def outcome(self) -> dict[str, Any]:
        """An outcome as ``POST /feedback`` takes it."""
        fields = self.workload.events[self.workload.label.event].fields
        return {name: example(spec) for name, spec in fields.items()}


def example(spec: FieldSpec) -> Any:
    """A value that a field accepts."""
    if spec.example is not None:
        return spec.example
    if spec.enum:
        return spec.enum[0]
    low = spec.min if spec.min is not None else min(0.0, spec.max or 0.0)
    values: dict[str, Any] = {"number": low, "integer": int(low), "boolean": True, "timestamp": "2026-01-01T00:00:00Z"}
    return values.get(spec.type, "x")
