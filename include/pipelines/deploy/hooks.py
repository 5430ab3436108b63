"""What a deploy run needs of AWS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from include.pipelines.deploy.service import Service
from include.pipelines.promotion.registry import ModelRegistry
from include.pipelines.protocols import StateStore


class CanaryOfService(Protocol):
    """The canary of a workload (``include.pipelines.deploy.canary.CanaryHooks``)."""

    @property
    def service(self) -> Service:
        """The ECS service of the canary's tasks."""

    def end(self) -> None:
        """Gives all requests to the live version, then stops the canary's tasks. Repeating it is harmless."""


@dataclass(frozen=True)
class DeployHooks:
    """The AWS hooks that the run's functions take.

    Attributes:
        state: The state table.
        service: The ECS service.
        registry: The model registry.
        canary: The canary beside the service; None where the workload has none.
    """

    state: StateStore
    service: Service
    registry: ModelRegistry
    canary: CanaryOfService | None = None
