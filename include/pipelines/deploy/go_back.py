"""Brings the service back to the last verified version."""

from __future__ import annotations

from include.pipelines.deploy.live import LivePointer
from include.pipelines.deploy.service import Rollout, Service


def go_back(pointer: LivePointer, service: Service) -> Rollout | None:
    """Rolls the service back to the last verified version; before the first one, it gets no tasks.

    Returns:
        The rollout; None where the service runs that version already, or there is none.
    """
    verified, primary = pointer["task_definition"], service.primary()
    if verified is None:
        service.stop_all()
        return None
    if primary["taskDefinition"] == verified and primary.get("rolloutState") != "IN_PROGRESS":
        return None
    return {"task_definition": verified, "service_deployment_arn": service.roll(verified, desired_count=0)}
