"""How a rollout begins, and how it ends: completed, failed by the circuit breaker, rolled back, or stopped."""

from __future__ import annotations

import math

from moto.core.utils import utcnow
from moto.ecs.models import TaskDefinition

from infra.localcloud.ecs.resources import Deployment, Service, ServiceDeployment, ServiceRevision

_TRIPPED = "ECS deployment circuit breaker: tasks failed to start."
_NO_CANDIDATE = "No rollback candidate was found to run the rollback."
_SUPERSEDED = "Service deployment stopped because another service deployment was started."


def start(service: Service, definition: TaskDefinition) -> None:
    """Makes a new deployment of the task definition PRIMARY. A rollout in progress is stopped."""
    service.definition = definition
    revision = ServiceRevision(service, definition, dict(service.settings))
    service.revisions.append(revision)
    live = [task for task in service.tasks if task.is_live]
    sources = [d.revision for d in service.deployments if any(task.deployment is d for task in live)]
    threshold = failure_threshold(service.desired_count)
    rollout = ServiceDeployment(service, revision, sources, threshold, service.configuration)
    for superseded in service.rollouts:
        if not superseded.is_over:
            superseded.set_status("STOPPED", _SUPERSEDED, over=True)
    service.rollouts.insert(0, rollout)
    service.promote(Deployment(service, revision, rollout))
    rollout.set_status("IN_PROGRESS")


def complete(service: Service) -> None:
    """Ends the rollout in progress, if any, as successful. Called while exactly the desired tasks are healthy."""
    primary = service.primary
    service.deployments = [primary]
    if primary.rollout_state == "IN_PROGRESS":
        primary.set_rollout_state("COMPLETED", f"ECS deployment {primary.id} completed.")
        service.add_event(f"(deployment {primary.id}) deployment completed.")
        service.last_completed = primary
        rollout = service.rollouts[0]
        if not rollout.is_over:
            rollout.set_status("ROLLBACK_SUCCESSFUL" if rollout.rollback else "SUCCESSFUL", over=True)
    if primary.rollout_state == "COMPLETED" and not service.is_steady:
        service.is_steady = True
        service.add_event("has reached a steady state.")


def check_circuit_breaker(service: Service) -> None:
    """Fails the rollout in progress when its failed tasks have reached the threshold."""
    primary = service.primary
    breaker = service.configuration["deploymentCircuitBreaker"]
    if (
        primary.rollout_state != "IN_PROGRESS"
        or not breaker.get("enable")
        or primary.failed_tasks < primary.rollout.threshold
    ):
        return
    primary.rollout.circuit_broken = True
    if primary.rollout.rollback:
        primary.set_rollout_state("FAILED", _TRIPPED)
        primary.rollout.set_status("ROLLBACK_FAILED", "Service deployment rollback failed: " + _TRIPPED, over=True)
        return
    stop(service, _TRIPPED, rollback=bool(breaker.get("rollback")))


def stop(service: Service, reason: str, *, rollback: bool) -> None:
    """Ends the rollout in progress as failed.

    Args:
        service: The service.
        reason: The text for events and status reasons.
        rollback: Makes the deployment that was completed last PRIMARY again.
    """
    failed = service.primary
    failed.set_rollout_state("FAILED", reason)
    rollout = failed.rollout
    service.add_event(f"(deployment {failed.id}) deployment failed: {reason}")
    if not rollback:
        rollout.set_status("STOPPED", reason, over=True)
        return
    good = service.last_completed
    if good is None:
        rollout.set_status("ROLLBACK_FAILED", f"{reason} {_NO_CANDIDATE}", over=True)
        return
    rollout.rollback = {"reason": reason, "startedAt": utcnow(), "serviceRevisionArn": good.revision.arn}
    rollout.set_status("ROLLBACK_IN_PROGRESS", reason)
    restored = good if good in service.deployments else Deployment(service, good.revision, rollout)
    restored.rollout, restored.failed_tasks = rollout, 0
    restored.failures_in_a_row, restored.retry_at = 0, 0.0
    cause = "ECS deployment circuit breaker: " if reason == _TRIPPED else "ECS deployment "
    restored.set_rollout_state("IN_PROGRESS", f"{cause}rolling back to deploymentId {restored.id}.")
    service.promote(restored)
    service.definition = good.revision.definition
    service.add_event(f"rolling back to (deployment {restored.id}).")


def failure_threshold(desired_count: int) -> int:
    """Failed tasks that trip the circuit breaker: half of the desired count, from 3 to 200 (ECS developer guide)."""
    return max(3, min(200, math.ceil(desired_count * 0.5)))


def backoff_seconds(failures: int) -> float:
    """Seconds until the next start after this many failures in a row; the first three cause no delay, as on ECS."""
    return 0.0 if failures < 4 else min(60.0, 2.0 ** (failures - 4))
