"""The last step of a deploy: the verified version becomes the live one."""

from __future__ import annotations

from include.pipelines.deploy.live import LivePointer, after_deploy, write_pointer
from include.pipelines.deploy.resolve import DeployTarget
from include.pipelines.deploy.service import Rollout
from include.pipelines.promotion.packages import REJECTED
from include.pipelines.promotion.registry import ModelRegistry
from include.pipelines.protocols import StateStore


def go_live(
    workload: str,
    target: DeployTarget,
    rollout: Rollout,
    state: StateStore,
    registry: ModelRegistry,
    *,
    release_hold: bool,
    run_id: str,
) -> LivePointer:
    """Writes the live pointer. The version that a rollback replaces is rejected.

    Raises:
        ConflictError: Another writer changed the pointer.
    """
    pointer = after_deploy(
        target["pointer"],
        version=target["version"],
        bundle_digest=target["bundle_digest"],
        task_definition=rollout["task_definition"],
        requested=target["requested"],
        release_hold=release_hold,
    )
    write_pointer(workload, pointer, state)
    if target["requested"] == "previous" and target["live_arn"]:
        registry.set_approval_status(target["live_arn"], REJECTED, f"Rolled back from, by {run_id}")
    return pointer
