"""What a retrain run needs of AWS."""

from __future__ import annotations

from dataclasses import dataclass

from include.pipelines.deploy.service import ServiceReader
from include.pipelines.promotion.registry import ModelRegistry
from include.pipelines.protocols import ObjectStore, StateStore


@dataclass(frozen=True)
class RetrainHooks:
    """The AWS hooks that the run's functions take.

    Attributes:
        objects: Objects in S3.
        state: The state table.
        registry: The model registry.
        service: The ECS service: what it runs is compared with the record of what is live.
    """

    objects: ObjectStore
    state: StateStore
    registry: ModelRegistry
    service: ServiceReader
