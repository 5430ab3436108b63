"""The thread that makes what runs be what is wanted: starts, checks, drains, replaces and stops tasks, and ends rollouts.

One lock guards all services and tasks; processes are started and stopped, and secrets read, without it.
"""

from __future__ import annotations

import math
import sys
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from moto.core.utils import utcnow

from infra.localcloud.elb.models import ElbBackend
from ..install import Context
from .addresses import Addresses
from .deployment import Deployment, backoff
from .rollout import fail, finish
from .service import Service
from .tasks import Task

_TICK_SECONDS = 0.2
_SETTLED_SECONDS = 2.0  # without a load balancer, a task that has run so long counts as healthy
_KEPT_STOPPED = 200


class Scheduler:
    """All services and tasks of one account and region."""

    def __init__(self, context: Context, balancing: ElbBackend, account: str, region: str) -> None:
        self.lock = threading.RLock()
        self.services: dict[str, Service] = {}
        self.tasks: dict[str, Task] = {}
        self._context = context
        self._balancing = balancing
        self._account, self._region = account, region
        self._addresses = Addresses()
        self._launchers = ThreadPoolExecutor(max_workers=4, thread_name_prefix="ecs-launch")
        self._ending = False
        threading.Thread(target=self._run, name="ecs-scheduler", daemon=True).start()

    # --- what the API asks ---

    def start_task(
        self, cluster: Any, definition: Any, request: dict[str, Any], deployment: Deployment | None = None
    ) -> Task:
        """A new task, launched in the background."""
        task = Task(cluster, definition, self._account, self._region, request)
        with self.lock:
            task.deployment = deployment
            self.tasks[task.arn] = task
            if deployment:
                deployment.service.tasks.append(task)
            self._forget_old()
        self._launchers.submit(task.launch, self._context, self._addresses)
        return task

    def stop_task(self, task: Task, reason: str, code: str) -> None:
        """Drains it if it is healthy behind a load balancer, then SIGTERM, then SIGKILL."""
        with self.lock:
            if task.desired_status == "STOPPED":
                return
            task.desired_status, task.stopped_reason, task.stop_code, task.stopping_at = (
                "STOPPED",
                reason,
                code,
                utcnow(),
            )
            served = any(state == "healthy" for state in self._states(task))
            self._deregister(task)
            if served:
                task.last_status = "DEACTIVATING"
            else:
                self._terminate(task)

    # --- the loop ---

    def _run(self) -> None:
        while not self._ending:
            time.sleep(_TICK_SECONDS)
            now = time.monotonic()
            with self.lock:
                for task in list(self.tasks.values()):
                    self._guard(self._advance, task, now)
                for service in list(self.services.values()):
                    self._guard(self._reconcile, service, now)
                self._count_clusters()

    @staticmethod
    def _guard(step: Callable[[Any, float], None], what: Any, now: float) -> None:
        """One service's trouble must not stop the others."""
        try:
            step(what, now)
        except Exception:
            traceback.print_exc(file=sys.stderr)

    def _advance(self, task: Task, now: float) -> None:
        """Moves one task on by what has happened to its processes and targets."""
        if task.last_status == "STOPPED":
            return
        if task.last_status == "PENDING" and task.launched:
            if task.failure:
                self._stopped(task, task.failure, "TaskFailedToStart", failed=True)
                return
            task.last_status, task.started_at, task.running_since = "RUNNING", utcnow(), now
            if task.desired_status == "RUNNING":
                self._register(task)
        if task.launched and (ended := task.exited()) and ended.job:
            if ended.job.result and ended.job.result.kind == "stopped" and task.last_status in ("PENDING", "RUNNING"):
                # Nobody here stopped it, so the server is ending: do not start it again.
                self._ending = True
                return
            wanted = task.last_status == "RUNNING" and task.desired_status == "RUNNING"
            task.last_status = "STOPPING" if task.last_status != "DEACTIVATING" else "DEACTIVATING"
            if task.is_over():
                self._stopped(
                    task,
                    task.stopped_reason or "Essential container in task exited",
                    "EssentialContainerExited",
                    failed=wanted,
                )
            else:
                if wanted:
                    task.desired_status, task.stopped_reason = "STOPPED", "Essential container in task exited"
                    self._failed(task)
                task.end()
            return
        if task.last_status == "DEACTIVATING" and not self._states(task):
            self._terminate(task)
        if task.last_status == "RUNNING" and task.desired_status == "RUNNING":
            self._look(task, now)

    def _look(self, task: Task, now: float) -> None:
        """Health of a running task, as its target groups see it."""
        if self._is_healthy(task, now):
            if not task.was_healthy and task.deployment:
                task.deployment.failures_in_a_row = 0
            task.was_healthy = True
            return
        if not task.deployment or "unhealthy" not in self._states(task):
            return
        grace = float(task.deployment.service.settings.get("healthCheckGracePeriodSeconds") or 0)
        if now - task.running_since < grace:
            return
        group = next(g for g, _ in task.registered)
        self._failed(task)
        task.deployment.service.event(
            f"(port {task.registered[0][1]}) is unhealthy in (target-group {group}): task {task.id} is stopped."
        )
        self.stop_task(task, f"Task failed ELB health checks in (target-group {group})", "ServiceSchedulerInitiated")

    def _reconcile(self, service: Service, now: float) -> None:
        service.tasks = [t for t in service.tasks if t.last_status != "STOPPED"]
        if service.status == "INACTIVE":
            return
        if service.status == "DRAINING":
            if not service.tasks:
                service.status, service.deployments = "INACTIVE", []
            return
        primary = service.primary
        fail(service)
        self._schedule(service, now)
        healthy = sum(self._is_healthy(t, now) for t in service.tasks if t.deployment is service.primary and t.is_live)
        settled = healthy == service.desired and all(
            t.deployment is service.primary and t.is_live for t in service.tasks
        )
        if settled and primary is service.primary:
            finish(service)

    def _schedule(self, service: Service, now: float) -> None:
        """Starts and stops within minimumHealthyPercent and maximumPercent."""
        wanted, primary = service.desired, service.primary
        fill = primary
        if primary.rollout_state == "FAILED":
            fill = next((d for d in service.deployments[1:] if d.rollout_state == "COMPLETED"), primary)
            if fill is primary:
                return
        minimum = math.ceil(wanted * service.configuration["minimumHealthyPercent"] / 100)
        maximum = math.floor(wanted * service.configuration["maximumPercent"] / 100)
        live = [t for t in service.tasks if t.is_live]
        new, old = [t for t in live if t.deployment is fill], [t for t in live if t.deployment is not fill]
        healthy = {t.arn for t in live if self._is_healthy(t, now)}

        for task in sorted(new, key=lambda t: (t.arn in healthy, -t.running_since))[: max(0, len(new) - wanted)]:
            self._stop(service, task, live, healthy)
        for task in [t for t in old if t.arn not in healthy]:
            self._stop(service, task, live, healthy)
        serving = [t for t in old if t.arn in healthy]
        new = [t for t in new if t in live]
        covered = len(serving) - max(0, wanted - sum(t.arn in healthy for t in new))
        room = (wanted - len(new)) - (maximum - len(live))
        for task in serving[: max(0, min(len(healthy) - minimum, max(covered, room)))]:
            self._stop(service, task, live, healthy)

        if now >= fill.retry_at:
            starting = max(0, min(wanted - len(new), maximum - len(live)))
            for _ in range(starting):
                request = {**service.settings, "group": f"service:{service.name}"}
                self.start_task(service.cluster, fill.revision.definition, request, fill)
            if starting:
                service.event(f"has started {starting} tasks.")

    def _stop(self, service: Service, task: Task, live: list[Task], healthy: set[str]) -> None:
        live.remove(task)
        healthy.discard(task.arn)
        self.stop_task(
            task, f"Scaling activity initiated by (deployment {task.deployment.id})", "ServiceSchedulerInitiated"
        )
        service.event(f"has stopped 1 running tasks: (task {task.id}).")

    # --- steps of a task ---

    def _register(self, task: Task) -> None:
        for balancer in task.deployment.service.load_balancers if task.deployment else []:
            group, port = balancer["targetGroupArn"], int(balancer["containerPort"])
            self._balancing.register(group, str(task.address), port)
            task.registered.append((group, port))

    def _deregister(self, task: Task) -> None:
        for group, port in task.registered:
            self._balancing.deregister(group, str(task.address), port)

    def _states(self, task: Task) -> list[str]:
        states = (self._balancing.targets.state(group, str(task.address), port) for group, port in task.registered)
        return [state for state in states if state]

    def _is_healthy(self, task: Task, now: float) -> bool:
        if task.last_status != "RUNNING" or task.desired_status != "RUNNING":
            return False
        if task.registered:
            return self._states(task) == ["healthy"] * len(task.registered)
        return now - task.running_since >= _SETTLED_SECONDS

    def _terminate(self, task: Task) -> None:
        if task.last_status != "PENDING":
            task.last_status = "STOPPING"
        if task.launched:
            task.end()
            if task.is_over():
                self._stopped(task, task.stopped_reason or "", task.stop_code or "", failed=False)
        else:
            self._launchers.submit(task.end)

    def _stopped(self, task: Task, reason: str, code: str, *, failed: bool) -> None:
        if failed:
            self._failed(task)
        self._deregister(task)
        task.last_status = task.desired_status = "STOPPED"
        task.stopped_reason, task.stop_code = task.stopped_reason or reason, task.stop_code or code
        task.stopped_at = utcnow()
        task.stopping_at = task.stopping_at or task.stopped_at
        if task.address:
            self._addresses.give_back(task.address)

    def _failed(self, task: Task) -> None:
        """Counts a task that ended or was found unhealthy without having been told to stop."""
        deployment = task.deployment
        if deployment is None:
            return
        deployment.failures_in_a_row += 1
        deployment.retry_at = time.monotonic() + backoff(deployment.failures_in_a_row)
        if deployment.rollout_state == "IN_PROGRESS":
            deployment.failed_tasks += 1
            deployment.record.failures = deployment.failed_tasks
        deployment.service.steady = False
        deployment.service.event(
            f"(task {task.id}) failed: {task.failure or task.stopped_reason or 'a container exited or is unhealthy'}"
        )

    def _forget_old(self) -> None:
        stopped = [t for t in self.tasks.values() if t.last_status == "STOPPED"]
        for task in stopped[: max(0, len(stopped) - _KEPT_STOPPED)]:
            del self.tasks[task.arn]

    def _count_clusters(self) -> None:
        clusters = {id(t.cluster): t.cluster for t in self.tasks.values()} | {
            id(s.cluster): s.cluster for s in self.services.values()
        }
        for cluster in clusters.values():
            mine = [t.last_status for t in self.tasks.values() if t.cluster is cluster]
            cluster.running_tasks_count, cluster.pending_tasks_count = mine.count("RUNNING"), mine.count("PENDING")
            active = (s for s in self.services.values() if s.cluster is cluster and s.status == "ACTIVE")
            cluster.active_services_count = len(list(active))
