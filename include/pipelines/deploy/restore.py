"""After a failed deploy: the version is rejected, and the service goes back to what it ran before."""

from __future__ import annotations

from include.errors import NothingToDoError
from include.pipelines.deploy.fault import version_fault
from include.pipelines.deploy.resolve import DeployTarget
from include.pipelines.deploy.service import Rollout, ServiceRoller, StoppedTasks
from include.pipelines.promotion.packages import REJECTED
from include.pipelines.promotion.registry import ModelRegistry


def reject(
    target: DeployTarget | None,
    rollout: Rollout | None,
    service: StoppedTasks,
    verification: str | None,
    *,
    run_id: str,
    registry: ModelRegistry,
) -> int:
    """Rejects the version, so that no later run deploys it.

    Args:
        target: What was to be deployed; None when nothing was chosen.
        rollout: The rollout; None when none was started.
        service: The ECS service, whose stopped tasks show why a rollout failed.
        verification: What the verification found; None where it did not run or found nothing.
        run_id: The deploy run, for the reason.
        registry: The model registry.

    Returns:
        The version.

    Raises:
        NothingToDoError: The version did not cause the failure.
    """
    if not target or not rollout:
        raise NothingToDoError("Nothing was rolled out, so the version did not cause the failure.")
    version = target["version"]
    if version == target["live_version"]:
        raise NothingToDoError(
            f"Version {version} was live before with another image, so the version did not cause the failure."
        )
    reason = verification or version_fault(service.stopped_tasks(rollout["task_definition"]))
    if not reason:
        raise NothingToDoError(
            f"Neither the tasks nor the verification show a fault of version {version}: a call was denied or "
            "throttled, a task was not placed, a worker died, or the time ran out. It stays approved. When the cause "
            "is mended, deploy again."
        )
    registry.set_approval_status(target["package_arn"], REJECTED, f"Deploy {run_id} failed: {reason}")
    return version


def restore(target: DeployTarget | None, service: ServiceRoller) -> Rollout:
    """Rolls the service back to what it ran before this deploy.

    Before the first healthy version there is no revision to roll back to: the service then gets no tasks.

    Args:
        target: What was to be deployed; None when nothing was chosen.
        service: The ECS service.

    Raises:
        NothingToDoError: There is nothing to roll back to, or ECS's circuit breaker has rolled back by itself.
    """
    if not target:
        raise NothingToDoError("Nothing was chosen, so nothing was changed.")
    if target["live_version"] is None:
        service.stop_all()
        raise NothingToDoError("No version was live before: the number of tasks was set to 0.")
    previous = target["previous_task_definition"]
    if service.task_definition() == previous:
        raise NothingToDoError(f"The service runs {previous} again: ECS rolled back by itself.")
    return {"task_definition": previous, "service_deployment_arn": service.roll(previous, desired_count=0)}
