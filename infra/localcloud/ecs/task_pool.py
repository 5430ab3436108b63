"""All tasks of one account and region: their start, their health, and the steps of their end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from moto.core.utils import utcnow
from moto.ecs.models import Cluster, TaskDefinition

from infra.localcloud.ecs.addresses import AddressPool
from infra.localcloud.ecs.launch import launch
from infra.localcloud.ecs.resources import Deployment, Task
from infra.localcloud.ecs.rollout import backoff_seconds
from infra.localcloud.elb.models import ElbBackend
from infra.localcloud.install import Context
from infra.localcloud.jobs import Job

_SETTLED_SECONDS = 2.0  # without a load balancer, a task that has run this long counts as healthy
_KEPT_STOPPED = 200
_LAUNCHERS = 4
_EXITED = "Essential container in task exited"


class TaskPool:
    """Starts, advances and stops tasks.

    ``lock`` guards all tasks and services. Processes are started and stopped, and secrets read, without it.
    ``on_change`` is called after a change on which :meth:`advance` has to act.
    """

    def __init__(
        self, context: Context, balancing: ElbBackend, account: str, region: str, tasks: dict[str, Task]
    ) -> None:
        self.lock = threading.RLock()
        self.on_change: Callable[[], None] = lambda: None
        self._context = context
        self._balancing = balancing
        self._account, self._region = account, region
        self._tasks = tasks  # by ARN; the backend stores them
        self._addresses = AddressPool()
        self._launchers = context.background.pool("ecs-launch", _LAUNCHERS)

    def all(self) -> list[Task]:
        """All tasks, oldest first, with the newest of the stopped ones."""
        with self.lock:
            return list(self._tasks.values())

    def start(
        self,
        cluster: Cluster,
        definition: TaskDefinition,
        request: dict[str, Any],
        deployment: Deployment | None = None,
    ) -> Task:
        """A new task, launched in the background.

        Args:
            cluster: Its cluster.
            definition: Its task definition.
            request: RunTask's request, or the settings of its service.
            deployment: The deployment to which it belongs, None for RunTask.
        """
        task = Task(cluster, definition, self._account, self._region, request, deployment)
        with self.lock:
            self._tasks[task.arn] = task
            if deployment:
                deployment.service.tasks.append(task)
            self._forget_old()
        self._launchers.submit(launch, task, self._context, self._addresses, self.on_change)
        self.on_change()
        return task

    def stop(self, task: Task, reason: str, code: str) -> None:
        """Drains the task if it is healthy behind a load balancer, then sends SIGTERM, then SIGKILL."""
        with self.lock:
            if task.desired_status == "STOPPED":
                return
            task.desired_status = "STOPPED"
            task.stopped_reason, task.stop_code, task.stopping_at = reason, code, utcnow()
            serves = "healthy" in self._target_states(task)
            self._deregister(task)
            if serves:
                task.last_status = "DEACTIVATING"
            else:
                self._terminate(task)
        self.on_change()

    def is_healthy(self, task: Task, now: float) -> bool:
        """Whether it runs, shall run, and is healthy in every target group."""
        if task.last_status != "RUNNING" or task.desired_status != "RUNNING":
            return False
        if task.registered:
            return self._target_states(task) == ["healthy"] * len(task.registered)
        return now - task.running_since >= _SETTLED_SECONDS

    def is_settled(self, task: Task, now: float) -> bool:
        """Whether the task changes only after a call of ``on_change``."""
        if task.last_status == "STOPPED":
            return True
        running = task.last_status == task.desired_status == "RUNNING"
        return running and (task.deployment is None or self.is_healthy(task, now))

    @property
    def server_is_ending(self) -> bool:
        """Whether the server ends the processes, so that nothing is to be replaced."""
        return self._context.runner.closing

    def advance(self, task: Task, now: float) -> None:
        """Updates the task from the state of its processes and targets. The lock is held."""
        if task.last_status == "STOPPED":
            return
        if task.last_status == "PENDING" and task.launched:
            if task.failure:
                self._finish(task, task.failure, "TaskFailedToStart", failed=True)
                return
            if task.desired_status == "STOPPED":  # stopped while its processes were being started
                task.last_status = "STOPPING"
                task.end()
            else:
                self._begin(task, now)
        if task.launched and (ended := task.exited()):
            self._after_exit(task, ended)
            return
        if task.last_status == "DEACTIVATING" and not self._target_states(task):
            self._terminate(task)
        if task.last_status == "RUNNING" and task.desired_status == "RUNNING":
            self._check_health(task, now)

    # --- steps of a task ---

    def _begin(self, task: Task, now: float) -> None:
        task.last_status, task.started_at, task.running_since = "RUNNING", utcnow(), now
        self._register(task)

    def _after_exit(self, task: Task, ended: Job) -> None:
        """Stops a task of which an essential container has exited."""
        if self.server_is_ending and ended.result and ended.result.kind == "stopped":
            return  # the server's end has stopped it, so the task is not replaced
        unexpected = task.last_status == "RUNNING" and task.desired_status == "RUNNING"
        task.last_status = "STOPPING" if task.last_status != "DEACTIVATING" else "DEACTIVATING"
        if task.is_over():
            self._finish(task, task.stopped_reason or _EXITED, "EssentialContainerExited", failed=unexpected)
            return
        if unexpected:
            task.desired_status, task.stopped_reason = "STOPPED", _EXITED
            self._count_failure(task)
        task.end()

    def _check_health(self, task: Task, now: float) -> None:
        """Stops a task of a service that its target group reports as unhealthy after the grace period."""
        deployment = task.deployment
        if self.is_healthy(task, now):
            if not task.was_healthy and deployment:
                deployment.failures_in_a_row = 0
            task.was_healthy = True
            return
        if not deployment or "unhealthy" not in self._target_states(task):
            return
        grace = float(deployment.service.settings.get("healthCheckGracePeriodSeconds") or 0)
        if now - task.running_since < grace:
            return
        group, port = task.registered[0]
        self._count_failure(task)
        deployment.service.add_event(
            f"(port {port}) is unhealthy in (target-group {group}): task {task.id} is stopped."
        )
        self.stop(task, f"Task failed ELB health checks in (target-group {group})", "ServiceSchedulerInitiated")

    def _register(self, task: Task) -> None:
        for balancer in task.deployment.service.load_balancers if task.deployment else []:
            group, port = balancer["targetGroupArn"], int(balancer["containerPort"])
            self._balancing.register(group, str(task.address), port)
            task.registered.append((group, port))

    def _deregister(self, task: Task) -> None:
        for group, port in task.registered:
            self._balancing.deregister(group, str(task.address), port)

    def _target_states(self, task: Task) -> list[str]:
        states = (self._balancing.targets.state(group, str(task.address), port) for group, port in task.registered)
        return [state for state in states if state]

    def _terminate(self, task: Task) -> None:
        if not task.launched:
            return  # once launched, it is ended by advance
        task.last_status = "STOPPING"
        task.end()
        if task.is_over():
            self._finish(task, task.stopped_reason or "", task.stop_code or "", failed=False)

    def _finish(self, task: Task, reason: str, code: str, *, failed: bool) -> None:
        """STOPPED: no process of the task runs any more."""
        if failed:
            self._count_failure(task)
        self._deregister(task)
        for container in task.containers:
            container.keep_end()
        task.last_status = task.desired_status = "STOPPED"
        task.stopped_reason, task.stop_code = task.stopped_reason or reason, task.stop_code or code
        task.stopped_at = utcnow()
        task.stopping_at = task.stopping_at or task.stopped_at
        if task.address:
            self._addresses.give_back(task.address)

    @staticmethod
    def _count_failure(task: Task) -> None:
        """Counts a task that ended or became unhealthy although nobody stopped it."""
        deployment = task.deployment
        if deployment is None:
            return
        deployment.failures_in_a_row += 1
        deployment.retry_at = time.monotonic() + backoff_seconds(deployment.failures_in_a_row)
        if deployment.rollout_state == "IN_PROGRESS":
            deployment.failed_tasks += 1
            deployment.rollout.failures = deployment.failed_tasks
        deployment.service.is_steady = False
        deployment.service.add_event(
            f"(task {task.id}) failed: {task.failure or task.stopped_reason or 'a container exited or is unhealthy'}"
        )

    def _forget_old(self) -> None:
        stopped = [t for t in self._tasks.values() if t.last_status == "STOPPED"]
        for task in stopped[: max(0, len(stopped) - _KEPT_STOPPED)]:
            del self._tasks[task.arn]
