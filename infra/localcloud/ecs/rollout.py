"""How a rollout ends: completed, failed by the circuit breaker, rolled back, or stopped by a person."""

from __future__ import annotations

from moto.core.utils import utcnow

from .deployment import Deployment
from .service import Service

_TRIPPED = "ECS deployment circuit breaker: tasks failed to start."
_NO_CANDIDATE = "No rollback candidate was found to run the rollback."


def finish(service: Service) -> None:
    """The service runs what is wanted and nothing else: ends the rollout if one is under way, once."""
    primary = service.primary
    service.deployments = [primary]
    if primary.rollout_state == "IN_PROGRESS":
        primary.roll("COMPLETED", f"ECS deployment {primary.id} completed.")
        service.event(f"(deployment {primary.id}) deployment completed.")
        service.completed = primary
        record = service.history[0]
        if not record.is_over:
            record.move("ROLLBACK_SUCCESSFUL" if record.rollback else "SUCCESSFUL", over=True)
    if primary.rollout_state == "COMPLETED" and not service.steady:
        service.steady = True
        service.event("has reached a steady state.")


def fail(service: Service) -> None:
    """Trips the circuit breaker when the PRIMARY deployment under way has failed too often."""
    primary = service.primary
    breaker = service.configuration["deploymentCircuitBreaker"]
    if (
        primary.rollout_state != "IN_PROGRESS"
        or not breaker.get("enable")
        or primary.failed_tasks < primary.record.threshold
    ):
        return
    primary.record.tripped = True
    if primary.record.rollback:
        primary.roll("FAILED", _TRIPPED)
        primary.record.move("ROLLBACK_FAILED", "Service deployment rollback failed: " + _TRIPPED, over=True)
        return
    stop(service, _TRIPPED, rollback=bool(breaker.get("rollback")))


def stop(service: Service, reason: str, *, rollback: bool) -> None:
    """Ends the rollout under way as failed; with ``rollback`` what was last completed becomes PRIMARY again."""
    failed = service.primary
    failed.roll("FAILED", reason)
    record = failed.record
    service.event(f"(deployment {failed.id}) deployment failed: {reason}")
    if not rollback:
        record.move("STOPPED", reason, over=True)
        return
    good = service.completed
    if good is None:
        record.move("ROLLBACK_FAILED", f"{reason} {_NO_CANDIDATE}", over=True)
        return
    record.rollback = {"reason": reason, "startedAt": utcnow(), "serviceRevisionArn": good.revision.arn}
    record.move("ROLLBACK_IN_PROGRESS", reason)
    back = good if good in service.deployments else Deployment(service, good.revision, record)
    back.record, back.failed_tasks, back.failures_in_a_row, back.retry_at = record, 0, 0, 0.0
    back.roll("IN_PROGRESS", f"{_cause(reason)}rolling back to deploymentId {back.id}.")
    service.promote(back)
    service.definition = good.revision.definition
    service.event(f"rolling back to (deployment {back.id}).")


def _cause(reason: str) -> str:
    return "ECS deployment circuit breaker: " if reason == _TRIPPED else "ECS deployment "
