"""What the retrain DAG's own tasks do: plan the night, gate its data set, ask for the jobs, judge and register. Hooks are handed in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from typing import Any, Protocol

from include.lake import days as calendar
from include.lake import layout
from include.lake.fingerprint import canonical_json, digest, submit_key
from include.registry.cost import cost_usd
from include.registry.deploying import State, read_pointer
from include.registry.jobs import evaluation_config, training_config
from include.registry.packages import (
    APPROVED,
    PENDING,
    REJECTED,
    Package,
    approval_description,
    champion,
    live_history,
    metadata,
    overtaken,
    read_packages,
)
from include.settings import Settings
from include.training.decide import decide
from include.workloads import Workload


class Objects(Protocol):
    """Objects in S3 (``nightjar.hooks.lake.LakeHook``)."""

    def put(self, bucket: str, key: str, body: bytes) -> None: ...
    def put_once(self, bucket: str, key: str, body: bytes) -> bool: ...
    def get_json(self, bucket: str, key: str) -> Any | None: ...
    def open(self, bucket: str, key: str) -> Any: ...


class Versions(Protocol):
    """The model registry (``nightjar.hooks.registry.RegistryHook``)."""

    def described(self) -> list[dict[str, Any]]: ...
    def register(
        self, *, image: str, model_uri: str, status: str, description: str, metadata: dict[str, str], unique: str
    ) -> dict[str, Any]: ...


def job_name(workload: str, stage: str, **parts: Any) -> str:
    """The name of a SageMaker job, at most 57 characters: ``nj-<workload>-<stage>-<key>``."""
    return f"nj-{workload}-{stage}-{submit_key(stage=stage, workload=workload, **parts)}"
