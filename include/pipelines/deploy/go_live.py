"""The last step of a deploy: the verified version becomes the live one."""

from __future__ import annotations

from include.errors import ConflictError
from include.pipelines.deploy import live_log
from include.pipelines.deploy.fence import own_intent
from include.pipelines.deploy.hooks import DeployHooks
from include.pipelines.deploy.live import LIVE, LivePointer, went_live
from include.pipelines.deploy.registry_agreement import approve_live, settle
from include.pipelines.deploy.resolve import DeployTarget
from include.pipelines.deploy.service import Rollout
from include.pipelines.promotion.packages import read_packages


def go_live(
    workload: str,
    target: DeployTarget,
    rollout: Rollout,
    hooks: DeployHooks,
    *,
    run_id: str,
) -> LivePointer:
    """Records that the version is verified and live, then rejects what was rolled back from. Repeating it is harmless.

    Raises:
        SupersededError: The run's intent is not the newest one, or was abandoned.
        ConflictError: ECS does not run what was verified, or another run writes at the same time.
    """
    pointer, intent = own_intent(workload, hooks.state, run_id=run_id)
    primary, definition = hooks.service.primary(), rollout["task_definition"]
    wanted = (target["version"], target["revision"])
    runs = primary["taskDefinition"] == definition and primary["desiredCount"] > 0
    if (intent["version"], intent["revision"]) != wanted or not runs or primary.get("rolloutState") != "COMPLETED":
        raise ConflictError(
            f"ECS does not run what was verified: version {target['version']} as {definition}. It is set to "
            f"{primary['taskDefinition']} ({primary.get('rolloutState')}, {primary['desiredCount']} tasks), and this "
            f"run's newest intent is version {intent['version']}. Trigger a new run."
        )
    if intent["status"] != LIVE or pointer["task_definition"] != definition:
        verified = went_live(
            pointer,
            version=target["version"],
            bundle_digest=target["bundle_digest"],
            task_definition=definition,
            image=hooks.service.image(definition),
        )
        pointer = live_log.append(workload, verified, hooks.state)
    packages = settle(pointer, read_packages(hooks.registry.described()), hooks.registry)
    approve_live(pointer, packages, hooks.registry)
    return pointer
