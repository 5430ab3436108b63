"""After a failed deploy: which version is rejected, and what the service goes back to."""

from __future__ import annotations

from typing import Any

import pytest

from include.errors import NothingToDoError
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

    def __init__(self, definition: str) -> None:
        self.definition = definition
        self.calls: list[tuple[Any, ...]] = []

    def task_definition(self) -> str:
        return self.definition

    def roll(self, task_definition: str, desired_count: int) -> str:
        self.calls.append(("roll", task_definition, desired_count))
        return "arn:rollback"

    def stop_all(self) -> None:
        self.calls.append(("stop_all",))


@pytest.mark.parametrize(
    ("failures", "reason"),
    [
        ([None, "golden rows differ"], "golden rows differ"),
        (["ended FAILED", "no answer"], "ended FAILED; no answer"),
    ],
)
def test_the_version_is_rejected_with_what_was_found(failures: list[str | None], reason: str) -> None:
    registry = Registry()
    assert reject(target(), ROLLOUT, failures, run_id="manual__7", registry=registry) == 3
    assert registry.changes == [("arn:3", "Rejected", f"Deploy manual__7 failed: {reason}")]


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
        reject(chosen, rollout, ["no answer"], run_id="manual__7", registry=registry)
    assert registry.changes == []


def test_a_deploy_that_ended_without_a_finding_rejects_nothing() -> None:
    """A denied or throttled call, a killed worker and a timeout are no faults of the version."""
    registry = Registry()
    with pytest.raises(NothingToDoError, match="denied or throttled"):
        reject(target(), ROLLOUT, [None, None], run_id="manual__7", registry=registry)
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
