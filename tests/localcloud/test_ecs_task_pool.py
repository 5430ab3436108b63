"""Health of tasks behind a load balancer, without processes: the grace period, failures and their delay."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from moto.ecs.models import EC2ContainerServiceBackend

from infra.localcloud.background import Background
from infra.localcloud.ecs import rollout
from infra.localcloud.ecs.resources import Service, Task
from infra.localcloud.ecs.task_pool import TaskPool

ACCOUNT, REGION = "123456789012", "us-east-1"
GRACE_SECONDS = 20


class Context:
    """The parts of the server that a pool without processes uses; ``runner.closing``: the server is ending."""

    def __init__(self) -> None:
        self.background = Background()
        self.runner = SimpleNamespace(closing=False)


class Balancing:
    """A load balancer whose one target has the state that the test sets."""

    def __init__(self) -> None:
        self.targets = self
        self.current: str | None = None

    def register(self, group: str, address: str, port: int) -> None:
        self.current = "initial"

    def deregister(self, group: str, address: str, port: int) -> None:
        self.current = None

    def state(self, group: str, address: str, port: int) -> str | None:
        return self.current


@pytest.fixture
def balancing() -> Balancing:
    return Balancing()


@pytest.fixture
def context() -> Any:
    return Context()


@pytest.fixture
def pool(balancing: Balancing, context: Any) -> TaskPool:
    load_balancers: Any = balancing
    return TaskPool(context, load_balancers, ACCOUNT, REGION, {})


@pytest.fixture
def task() -> Task:
    """A launched task, at time 0, of a service whose rollout is in progress."""
    moto = EC2ContainerServiceBackend(REGION, ACCOUNT)
    cluster = moto.create_cluster("test")
    definition = moto.register_task_definition("web", [{"name": "app", "image": "app:1", "memory": 128}])
    settings = {
        "serviceName": "web",
        "desiredCount": 1,
        "healthCheckGracePeriodSeconds": GRACE_SECONDS,
        "loadBalancers": [{"targetGroupArn": "group", "containerName": "app", "containerPort": 80}],
    }
    service = Service(cluster, settings, definition, ACCOUNT, REGION)
    rollout.start(service, definition)
    task = Task(cluster, definition, ACCOUNT, REGION, settings, service.primary)
    task.launched = True
    return task


def test_an_unhealthy_task_is_stopped_only_after_the_grace_period(
    pool: TaskPool, balancing: Balancing, task: Task
) -> None:
    pool.advance(task, 0)
    balancing.current = "unhealthy"
    pool.advance(task, GRACE_SECONDS - 1)
    assert (task.last_status, task.desired_status) == ("RUNNING", "RUNNING")
    pool.advance(task, GRACE_SECONDS)
    assert task.desired_status == "STOPPED" and "failed ELB health checks" in str(task.stopped_reason)
    assert task.deployment is not None and task.deployment.failed_tasks == task.deployment.rollout.failures == 1


def test_a_task_that_becomes_healthy_ends_a_row_of_failures(pool: TaskPool, balancing: Balancing, task: Task) -> None:
    assert task.deployment is not None
    task.deployment.failures_in_a_row = 3
    pool.advance(task, 0)
    assert not pool.is_healthy(task, 1) and task.deployment.failures_in_a_row == 3
    balancing.current = "healthy"
    pool.advance(task, 2)
    assert pool.is_healthy(task, 2) and task.deployment.failures_in_a_row == 0


def test_a_task_that_failed_to_start_is_stopped_with_its_reason(pool: TaskPool, task: Task) -> None:
    task.failure = "CannotPullContainerError: image 'app:1'"
    pool.advance(task, 0)
    assert (task.last_status, task.stop_code) == ("STOPPED", "TaskFailedToStart")
    assert task.stopped_reason == task.failure
    assert task.deployment is not None and task.deployment.failed_tasks == 1


class StoppedJob:
    """A process that a signal has ended."""

    pid, returncode = 4711, -15
    result = SimpleNamespace(kind="stopped", code=-15)

    def poll(self) -> Any:
        return self.result

    def stop(self, grace: float) -> None:
        pass


def test_a_task_that_was_stopped_while_pending_never_runs(pool: TaskPool, task: Task) -> None:
    """It was taken for the end of the server, and nothing was scheduled from then on."""
    task.launched = False
    pool.stop(task, "not needed", "UserInitiated")
    pool.advance(task, 0)
    assert task.last_status == "PENDING"
    job: Any = StoppedJob()
    task.containers[0].job, task.launched = job, True
    pool.advance(task, 1)
    assert (task.last_status, task.stopped_reason, task.stop_code) == ("STOPPED", "not needed", "UserInitiated")
    assert task.started_at is None and not pool.server_is_ending


def test_a_task_whose_process_was_stopped_by_others_is_replaced(pool: TaskPool, task: Task) -> None:
    pool.advance(task, 0)
    job: Any = StoppedJob()
    task.containers[0].job = job
    pool.advance(task, 1)
    assert (task.last_status, task.desired_status) == ("STOPPED", "STOPPED")
    assert task.deployment is not None and task.deployment.failed_tasks == 1


def test_what_the_servers_end_stops_is_not_replaced(pool: TaskPool, task: Task, context: Any) -> None:
    pool.advance(task, 0)
    job: Any = StoppedJob()
    task.containers[0].job = job
    context.runner.closing = True
    pool.advance(task, 1)
    assert (task.last_status, task.desired_status) == ("RUNNING", "RUNNING")
