"""What a retrain run needs of AWS."""

from __future__ import annotations

from dataclasses import dataclass

from include.pipelines.promotion.registry import ModelRegistry
from include.pipelines.protocols import ObjectStore, StateStore


@dataclass(frozen=True)
class RetrainHooks:
    """The AWS hooks that the run's functions take.

    Attributes:
        objects: Objects in S3.
        state: The state table.
        registry: The model registry.
    """

    objects: ObjectStore
    state: StateStore
    registry: ModelRegistry
