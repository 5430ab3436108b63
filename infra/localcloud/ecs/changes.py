"""Notices that a round of the scheduler changed something that is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from infra.localcloud.ecs.resources import Service, Task


class Changes:
    """Compares what tasks and services show with what they showed the last time.

    Args:
        changed: Called when they differ.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._last: tuple[object, ...] = ()

    def compare(self, tasks: Iterable[Task], services: Iterable[Service]) -> None:
        """Calls ``changed`` if a status, an event or a count differs."""
        now = (
            *((task.id, task.last_status, task.desired_status, task.address) for task in tasks),
            *(part for service in services for part in _shown(service)),
        )
        if now != self._last:
            self._last = now
            self._changed()


def _shown(service: Service) -> Iterable[object]:
    yield service.arn, service.status, service.events[0]["id"] if service.events else None
    for deployment in service.deployments:
        yield deployment.id, deployment.status, deployment.updated_at, deployment.failed_tasks
    for rollout in service.rollouts[:2]:
        yield rollout.id, rollout.status, rollout.failures
