"""After a failed deploy: a version at fault is rejected, and the service goes back to the last verified version."""

from __future__ import annotations

from contextlib import suppress

from include.errors import ConflictError, NothingToDoError
from include.pipelines.deploy import live_log
from include.pipelines.deploy.go_back import go_back
from include.pipelines.deploy.hooks import DeployHooks
from include.pipelines.deploy.live import OPEN, LivePointer, abandoned
from include.pipelines.deploy.resolve import DeployTarget
from include.pipelines.deploy.service import Rollout, Service
from include.pipelines.deploy.stopped_tasks import version_fault
from include.pipelines.promotion.packages import REJECTED


def reject(
    workload: str,
    target: DeployTarget | None,
    rollout: Rollout | None,
    verification: str | None,
    hooks: DeployHooks,
    *,
    run_id: str,
    canary: bool = False,
) -> int:
    """Rejects the version, so that no later run deploys it.

    Args:
        workload: The workload.
        target: What was to be deployed; None when nothing was chosen.
        rollout: The rollout; None when none was started.
        verification: The fault that the verification, a canary or a shadow found; None where it did not run or found
            none of the version.
        hooks: The state table, the ECS service (whose stopped tasks show why a rollout failed) and the registry.
        run_id: The deploy run, for the reason.
        canary: Whether the rollout was the canary's; its tasks are then those of the canary's service.

    Returns:
        The version.

    Raises:
        NothingToDoError: The version did not cause the failure, or is live by now.
    """
    if not target or not (rollout or verification):
        raise NothingToDoError("Nothing was rolled out, so the version did not cause the failure.")
    version, pointer = target["version"], live_log.newest_entry(workload, hooks.state)
    if version in (target["live_version"], pointer["version"]):
        raise NothingToDoError(
            f"Version {version} was verified live, so this failure has another cause: the image, the settings, or a "
            "later step of the deploy."
        )
    intent = pointer["intent"]
    if intent is None or intent["run_id"] != run_id:
        raise NothingToDoError("Another deploy has begun since. Its run decides.")
    service = hooks.canary.service if canary and hooks.canary else hooks.service
    reason = verification or (version_fault(service.stopped_tasks(rollout["task_definition"])) if rollout else "")
    if not reason:
        raise NothingToDoError(
            f"Neither the tasks nor the verification show a fault of version {version}: a call was denied or "
            "throttled, a task was not placed, a worker died, or the time ran out. Its approval stays as it is. When "
            "the cause is mended, deploy again."
        )
    hooks.registry.set_approval_status(target["package_arn"], REJECTED, f"Deploy {run_id} failed: {reason}")
    return version


def restore(workload: str, target: DeployTarget | None, hooks: DeployHooks, *, run_id: str) -> Rollout:
    """Rolls the service back to the last verified version, after the intent of the run was abandoned.

    Before the first verified version there is none to go back to: the service then gets no tasks.

    Args:
        workload: The workload.
        target: What this run was to deploy; None when nothing was chosen.
        hooks: The state table and the ECS service.
        run_id: The deploy run.

    Raises:
        NothingToDoError: This run has changed nothing, or the service runs the last verified version already, or
            another run's deploy is open.
    """
    pointer = live_log.newest_entry(workload, hooks.state)
    if not _may_restore(pointer, target, hooks.service, run_id):
        raise NothingToDoError("This run has changed nothing, or another deploy has begun since: its run decides.")
    intent = pointer["intent"]
    if intent and intent["run_id"] == run_id and intent["status"] == OPEN:
        pointer = live_log.append(workload, abandoned(pointer), hooks.state)
    rollout = go_back(pointer, hooks.service)
    with suppress(ConflictError):  # another deploy has begun meanwhile, so nobody is told any more of this one
        _record_restored(workload, pointer, hooks, run_id)
    if rollout is None:
        raise NothingToDoError(
            "No version was verified live before: the number of tasks was set to 0."
            if pointer["version"] is None
            else f"The service runs {pointer['task_definition']}, the last verified version."
        )
    return rollout


def _record_restored(workload: str, pointer: LivePointer, hooks: DeployHooks, run_id: str) -> None:
    """Records that this run's deploy, which was ended from outside, left nothing behind."""
    intent = pointer["intent"]
    if intent is None or intent["run_id"] != run_id or "ended" not in intent or intent.get("restored"):
        return
    restored: LivePointer = {**pointer, "intent": {**intent, "restored": True}, "revision": pointer["revision"] + 1}
    live_log.append(workload, restored, hooks.state)


def _may_restore(pointer: LivePointer, target: DeployTarget | None, service: Service, run_id: str) -> bool:
    """Whether this run has the newest intent, or the service runs what this run left there after a later deploy."""
    intent = pointer["intent"]
    if intent is None:
        return False
    if intent["run_id"] == run_id:
        return True
    left_here = live_log.deploy_revision(service.environment(service.task_definition()))
    return target is not None and intent["status"] != OPEN and left_here == target["revision"]
