"""What a deploy run needs of AWS."""

from __future__ import annotations

from dataclasses import dataclass

from include.pipelines.deploy.service import Service
from include.pipelines.promotion.registry import ModelRegistry
from include.pipelines.protocols import StateStore


@dataclass(frozen=True)
class DeployHooks:
    """The AWS hooks that the run's functions take.

    Attributes:
        state: The state table.
        service: The ECS service.
        registry: The model registry.
    """

    state: StateStore
    service: Service
    registry: ModelRegistry
