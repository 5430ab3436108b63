"""Whether a failed rollout is the version's fault, as ECS's stopped tasks show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from include.model import exit_codes

# SIGKILL and SIGTERM: ECS, or somebody else, stopped the container.
KILLED = (137, 143)
# Exit codes that say nothing about the version.
NOT_THE_VERSION = (None, 0, exit_codes.SETTINGS, exit_codes.SOURCE, *KILLED)
# ECS's reasons of a task that ran and did not become healthy, or was too large for its memory.
HEALTH, MEMORY = "health check", "OutOfMemory"


def version_fault(stopped_tasks: Sequence[Mapping[str, Any]]) -> str | None:
    """Finds the fault of the version among the stopped tasks of its task definition.

    A task that ECS could not place, whose image it could not pull, or whose call for the bundle was denied, is no fault
    of the version.

    Args:
        stopped_tasks: The tasks, as DescribeTasks returns them.

    Returns:
        What a task ended with; None where no task shows a fault of the version.
    """
    for task in stopped_tasks:
        reason = task.get("stoppedReason", "")
        if HEALTH in reason:
            return f"{task['taskArn']}: {reason}"
        for container in task.get("containers", ()):
            code, why = container.get("exitCode"), container.get("reason", "")
            if MEMORY in why or code not in NOT_THE_VERSION:
                return f"{task['taskArn']}: container {container['name']} exited with {code} {why}".rstrip()
    return None
