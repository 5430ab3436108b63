"""What the functions of a night (``include.pipelines.retrain.run``) speak to AWS with; they know no hook by name."""

from __future__ import annotations

from typing import Any

from nightjar.jobs.sagemaker.registry import RegistryHook
from nightjar.objects import ObjectStoreHook
from nightjar.state.hook import StateHook


def night_hooks(model_group: str, state_table: str, region: str) -> dict[str, Any]:
    """``objects`` in S3, ``state`` table, ``versions`` of the model."""
    return {
        "objects": ObjectStoreHook(),
        "state": StateHook(state_table),
        "versions": RegistryHook(model_group, region_name=region),
    }
