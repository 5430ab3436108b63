"""The loop that brings the running tasks to the desired state: it starts, checks, replaces and stops them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from infra.localcloud.background import Background, report_exception
from infra.localcloud.ecs import rollout
from infra.localcloud.ecs.changes import Changes
from infra.localcloud.ecs.resources import Deployment, Service, Task
from infra.localcloud.ecs.task_pool import TaskPool

_TICK_SECONDS = 0.2
_IDLE_SECONDS = 10.0  # the pause when nothing is to be done; every change ends it


class Scheduler:
    """The services of one account and region, and the loop over them and all tasks. The pool's lock guards both.

    Args:
        tasks: The tasks.
        services: The services by ``<cluster>:<service>``; the backend stores them.
        background: The server's background threads.
        changed: Called after a round that changed a service or a task.
    """

    def __init__(
        self, tasks: TaskPool, services: dict[str, Service], background: Background, changed: Callable[[], None]
    ) -> None:
        self.tasks = tasks
        self.lock = tasks.lock
        self.services = services
        self._changes = Changes(changed)
        self._loop = background.loop("ecs-scheduler", self._tick)
        tasks.on_change = self.wake

    def wake(self) -> None:
        """Makes the scheduler act on a change at once."""
        self._loop.wake()

    def _tick(self) -> float:
        """One round over all tasks and services; returns the seconds until the next one."""
        if self.tasks.server_is_ending:
            return _IDLE_SECONDS
        now = time.monotonic()
        with self.lock:
            for task in self.tasks.all():
                _guarded(self.tasks.advance, task, now)
            for service in list(self.services.values()):
                _guarded(self._reconcile, service, now)
            self._count_clusters()
            self._changes.compare(self.tasks.all(), self.services.values())
            settled = all(self.tasks.is_settled(task, now) for task in self.tasks.all()) and all(
                map(_is_settled, self.services.values())
            )
        return _IDLE_SECONDS if settled else _TICK_SECONDS

    def _reconcile(self, service: Service, now: float) -> None:
        service.tasks = [t for t in service.tasks if t.last_status != "STOPPED"]
        if service.status == "INACTIVE":
            return
        if service.status == "DRAINING":
            if not service.tasks:
                service.status, service.deployments = "INACTIVE", []
            return
        primary = service.primary
        rollout.check_circuit_breaker(service)
        self._schedule(service, now)
        healthy = sum(
            self.tasks.is_healthy(t, now) for t in service.tasks if t.deployment is service.primary and t.is_live
        )
        settled = healthy == service.desired_count and all(
            t.deployment is service.primary and t.is_live for t in service.tasks
        )
        if settled and primary is service.primary:
            rollout.complete(service)

    def _schedule(self, service: Service, now: float) -> None:
        """Starts and stops tasks within minimumHealthyPercent and maximumPercent."""
        deployment = _deployment_to_fill(service)
        if deployment is None:
            return
        desired = service.desired_count
        minimum = math.ceil(desired * service.configuration["minimumHealthyPercent"] / 100)
        maximum = math.floor(desired * service.configuration["maximumPercent"] / 100)
        live = [t for t in service.tasks if t.is_live]
        new, old = [t for t in live if t.deployment is deployment], [t for t in live if t.deployment is not deployment]
        healthy = {t.arn for t in live if self.tasks.is_healthy(t, now)}

        surplus = max(0, len(new) - desired)
        unhealthy_and_newest_first = sorted(new, key=lambda t: (t.arn in healthy, -t.running_since))
        unhealthy_old = [t for t in old if t.arn not in healthy]
        for task in [*unhealthy_and_newest_first[:surplus], *unhealthy_old]:
            self._stop(service, task, live, healthy)
        new = [t for t in new if t in live]
        healthy_old = [t for t in old if t.arn in healthy]
        # Old tasks may go when new ones are healthy in their place, or must go for new ones to fit under the maximum.
        replaced = len(healthy_old) - max(0, desired - sum(t.arn in healthy for t in new))
        in_the_way = (desired - len(new)) - (maximum - len(live))
        for task in healthy_old[: max(0, min(len(healthy) - minimum, max(replaced, in_the_way)))]:
            self._stop(service, task, live, healthy)

        if now >= deployment.retry_at:
            self._start(service, deployment, min(desired - len(new), maximum - len(live)))

    def _start(self, service: Service, deployment: Deployment, count: int) -> None:
        if count <= 0:
            return
        for _ in range(count):
            request = {**service.settings, "group": f"service:{service.name}"}
            self.tasks.start(service.cluster, deployment.revision.definition, request, deployment)
        service.add_event(f"has started {count} tasks.")

    def _stop(self, service: Service, task: Task, live: list[Task], healthy: set[str]) -> None:
        live.remove(task)
        healthy.discard(task.arn)
        reason = f"Scaling activity initiated by (deployment {task.started_by})"
        self.tasks.stop(task, reason, "ServiceSchedulerInitiated")
        service.add_event(f"has stopped 1 running tasks: (task {task.id}).")

    def _count_clusters(self) -> None:
        """Updates the counts that DescribeClusters reports."""
        tasks, services = self.tasks.all(), list(self.services.values())
        clusters = {id(t.cluster): t.cluster for t in tasks} | {id(s.cluster): s.cluster for s in services}
        for cluster in clusters.values():
            statuses = [t.last_status for t in tasks if t.cluster is cluster]
            cluster.running_tasks_count = statuses.count("RUNNING")
            cluster.pending_tasks_count = statuses.count("PENDING")
            cluster.active_services_count = sum(s.cluster is cluster and s.status == "ACTIVE" for s in services)


def _deployment_to_fill(service: Service) -> Deployment | None:
    """The deployment that gets new tasks: the PRIMARY one, or, if it has failed, the completed one before it."""
    if service.primary.rollout_state != "FAILED":
        return service.primary
    return next((d for d in service.deployments[1:] if d.rollout_state == "COMPLETED"), None)


def _is_settled(service: Service) -> bool:
    return service.status == "INACTIVE" or (service.status == "ACTIVE" and service.is_steady)


def _guarded[T](step: Callable[[T, float], None], resource: T, now: float) -> None:
    """An error at one task or service must not stop the others."""
    try:
        step(resource, now)
    except Exception:
        report_exception("ecs-scheduler")
