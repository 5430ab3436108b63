"""After a failed deploy: which version is rejected, and what the service goes back to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from include.errors import NothingToDoError
from include.model import exit_codes
from include.pipelines.deploy import Rollout, reject, restore
from tests.support.packages import Registry

ROLLOUT: Rollout = {"task_definition": "t3", "service_deployment_arn": "arn"}


def target(version: int = 3, live: int | None = 2) -> Any:
    return {
        "version": version,
        "package_arn": f"arn:{version}",
        "live_version": live,
        "previous_task_definition": "t2",
    }


class Service:
    """An ECS service that is set to one task definition."""

    def __init__(self, definition: str, tasks: Sequence[Any] = ()) -> None:
        self.definition = definition
        self.tasks = list(tasks)
        self.calls: list[tuple[Any, ...]] = []

    def task_definition(self) -> str:
        return self.definition

    def stopped_tasks(self, task_definition: str) -> list[Any]:
        assert task_definition == ROLLOUT["task_definition"]
        return self.tasks

    def roll(self, task_definition: str, desired_count: int) -> str:
        self.calls.append(("roll", task_definition, desired_count))
        return "arn:rollback"

    def stop_all(self) -> None:
        self.calls.append(("stop_all",))


def test_the_version_is_rejected_with_what_the_verification_found() -> None:
    registry = Registry()
    assert reject(target(), ROLLOUT, Service("t2"), "golden rows differ", run_id="manual__7", registry=registry) == 3
    assert registry.changes == [("arn:3", "Rejected", "Deploy manual__7 failed: golden rows differ")]


def stopped(
    code: int | None = None, reason: str = "", stopped_reason: str = "Essential container in task exited"
) -> Any:
    """A task as DescribeTasks returns it."""
    container: dict[str, Any] = {"name": "service", **({"reason": reason} if reason else {})}
    if code is not None:
        container |= {"exitCode": code}
    return {"taskArn": "task/1", "stoppedReason": stopped_reason, "containers": [container]}


@pytest.mark.parametrize(
    ("task", "reason"),
    [
        (stopped(exit_codes.BUNDLE), "container service exited with 3"),
        (stopped(exit_codes.CRASHES), "container service exited with 4"),
        (stopped(1), "container service exited with 1"),
        (stopped(137, "OutOfMemoryError: container killed due to memory usage"), "OutOfMemoryError"),
        (stopped(143, stopped_reason="Task failed ELB health checks in (target-group x)"), "health checks"),
    ],
)
def test_the_version_is_rejected_for_what_its_tasks_ended_with(task: Any, reason: str) -> None:
    registry = Registry()
    tasks = [stopped(143, stopped_reason="Scaling activity"), task]
    assert reject(target(), ROLLOUT, Service("t2", tasks), None, run_id="manual__7", registry=registry) == 3
    ((_, status, why),) = registry.changes
    assert status == "Rejected" and reason in why


@pytest.mark.parametrize(
    "task",
    [
        stopped(exit_codes.SOURCE),
        stopped(exit_codes.SETTINGS),
        stopped(143, stopped_reason="Scaling activity initiated by deployment"),
        stopped(137),
        stopped(stopped_reason="CannotPullContainerError: not authorized to perform: ecr:BatchGetImage"),
        stopped(stopped_reason="RESOURCE:MEMORY"),
    ],
)
def test_what_is_not_the_versions_fault_rejects_nothing(task: Any) -> None:
    """A denied or throttled call, an image that cannot be pulled, a full cluster, a task that somebody stopped."""
    registry = Registry()
    with pytest.raises(NothingToDoError, match="stays approved"):
        reject(target(), ROLLOUT, Service("t2", [task]), None, run_id="manual__7", registry=registry)
    assert registry.changes == []


@pytest.mark.parametrize(
    ("chosen", "rollout", "reason"),
    [
        (None, None, "Nothing was rolled out"),
        (target(), None, "Nothing was rolled out"),
        (target(version=3, live=3), ROLLOUT, "another image"),
    ],
)
def test_a_version_that_did_not_cause_the_failure_is_not_rejected(chosen: Any, rollout: Any, reason: str) -> None:
    registry = Registry()
    with pytest.raises(NothingToDoError, match=reason):
        reject(chosen, rollout, Service("t2"), "no answer", run_id="manual__7", registry=registry)
    assert registry.changes == []


def test_the_service_goes_back_to_what_it_ran() -> None:
    service = Service("t3")
    assert restore(target(), service) == {"task_definition": "t2", "service_deployment_arn": "arn:rollback"}
    assert service.calls == [("roll", "t2", 0)]


def test_a_rollback_by_ecs_is_enough() -> None:
    service = Service("t2")
    with pytest.raises(NothingToDoError, match="rolled back by itself"):
        restore(target(), service)
    assert service.calls == []


def test_without_a_version_to_go_back_to_the_service_gets_no_tasks() -> None:
    service = Service("t3")
    with pytest.raises(NothingToDoError, match="set to 0"):
        restore(target(live=None), service)
    assert service.calls == [("stop_all",)]


def test_nothing_chosen_is_nothing_restored() -> None:
    with pytest.raises(NothingToDoError, match="Nothing was chosen"):
        restore(None, Service("t2"))
