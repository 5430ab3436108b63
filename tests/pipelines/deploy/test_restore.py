"""After a failed deploy: which version is rejected, and what the service goes back to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from nightjar.state.hook import StateHook

from include.errors import NothingToDoError
from include.model import exit_codes
from include.pipelines.deploy import DeployHooks, Rollout, reject, restore
from include.pipelines.deploy.live import NOTHING_LIVE, LivePointer, begun, went_live
from include.pipelines.deploy.live_log import append, newest_entry
from tests.support.ecs_in_memory import EcsInMemory
from tests.support.packages import Registry
from tests.support.state_table import create_state_table

pytestmark = pytest.mark.stack

ROLLOUT: Rollout = {"task_definition": "t3", "service_deployment_arn": "arn"}
BEFORE: LivePointer = {**NOTHING_LIVE, "version": 2, "bundle_digest": "d2", "task_definition": "t2", "history": [2]}


@pytest.fixture
def state(aws: Any) -> StateHook:
    create_state_table(aws("dynamodb"), "state")
    return StateHook("state")


def begin(state: StateHook, before: LivePointer = BEFORE, run_id: str = "manual__7", version: int = 3) -> Any:
    """Records an intent; returns the target that resolve would have returned."""
    intent = begun(before, run_id=run_id, kind="deploy", version=version, release_hold=False, reason=None)
    append("flights", intent, state)
    return target(version, before["version"], intent["revision"])


def begin_later(state: StateHook, version: int) -> LivePointer:
    """Records another run's intent after what is there."""
    begin(state, newest_entry("flights", state), run_id="run-8", version=version)
    return newest_entry("flights", state)


def target(version: int = 3, live: int | None = 2, revision: int = 1) -> Any:
    return {"version": version, "package_arn": f"arn:{version}", "live_version": live, "revision": revision}


def service(definition: str, tasks: Sequence[Any] = ()) -> EcsInMemory:
    """A service that is set to a task definition."""
    running = EcsInMemory.running(definition)
    running.ended = [{"taskDefinitionArn": "t3", **task} for task in tasks]
    return running


def rejected(
    state: StateHook, chosen: Any, tasks: Sequence[Any] = (), fault: str | None = None, rollout: Any = ROLLOUT
) -> list[tuple[str, str, str]]:
    """Rejects, or not; returns the changes in the registry."""
    registry = Registry()
    reject("flights", chosen, rollout, fault, DeployHooks(state, service("t2", tasks), registry), run_id="manual__7")
    return registry.changes


def test_the_version_is_rejected_with_what_the_verification_found(state: StateHook) -> None:
    changes = rejected(state, begin(state), fault="golden rows differ")
    assert changes == [("arn:3", "Rejected", "Deploy manual__7 failed: golden rows differ")]


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
def test_the_version_is_rejected_for_what_its_tasks_ended_with(state: StateHook, task: Any, reason: str) -> None:
    tasks = [stopped(143, stopped_reason="Scaling activity"), task]
    ((_, status, why),) = rejected(state, begin(state), tasks)
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
def test_what_is_not_the_versions_fault_rejects_nothing(state: StateHook, task: Any) -> None:
    """A denied or throttled call, an image that cannot be pulled, a full cluster, a task that somebody stopped."""
    with pytest.raises(NothingToDoError, match="approval stays"):
        rejected(state, begin(state), [task])


def test_a_version_that_did_not_cause_the_failure_is_not_rejected(state: StateHook) -> None:
    with pytest.raises(NothingToDoError, match="Nothing was rolled out"):
        rejected(state, None, fault="no answer")
    with pytest.raises(NothingToDoError, match="Nothing was rolled out"):
        rejected(state, begin(state), rollout=None)
    with pytest.raises(NothingToDoError, match="was verified live"):
        rejected(state, target(version=3, live=3), fault="no answer")


def test_a_cleared_run_does_not_reject_what_a_later_run_made_live_or_deploys(state: StateHook) -> None:
    chosen = begin(state)
    later = begun(
        newest_entry("flights", state), run_id="run-8", kind="deploy", version=3, release_hold=False, reason=None
    )
    append("flights", later, state)
    with pytest.raises(NothingToDoError, match="Another deploy"):
        rejected(state, chosen, fault="no answer")
    append("flights", went_live(later, version=3, bundle_digest="d3", task_definition="t4", image="app:4"), state)
    with pytest.raises(NothingToDoError, match="was verified live"):
        rejected(state, chosen, fault="no answer")


def restored(state: StateHook, chosen: Any, running: EcsInMemory, run_id: str = "manual__7") -> Rollout:
    return restore("flights", chosen, DeployHooks(state, running, Registry()), run_id=run_id)


def test_the_service_goes_back_to_the_last_verified_version(state: StateHook) -> None:
    chosen, running = begin(state), service("t3")
    assert restored(state, chosen, running)["task_definition"] == "t2"
    assert running.set_to == "t2"
    assert intent_status(state) == "abandoned"


def intent_status(state: StateHook) -> str:
    intent = newest_entry("flights", state)["intent"]
    assert intent is not None
    return intent["status"]


def test_a_rollback_by_ecs_is_enough_and_the_intent_is_given_up(state: StateHook) -> None:
    with pytest.raises(NothingToDoError, match="the last verified version"):
        restored(state, begin(state), service("t2"))
    assert intent_status(state) == "abandoned"


def test_a_restore_that_is_repeated_goes_on(state: StateHook) -> None:
    chosen, running = begin(state), service("t3")
    restored(state, chosen, running)
    running.roll("t3", 1)
    assert restored(state, chosen, running)["task_definition"] == "t2"


def test_without_a_version_to_go_back_to_the_service_gets_no_tasks(state: StateHook) -> None:
    running = service("t3")
    with pytest.raises(NothingToDoError, match="set to 0"):
        restored(state, begin(state, NOTHING_LIVE), running)
    assert running.desired == 0


def test_what_this_run_did_not_change_it_does_not_restore(state: StateHook) -> None:
    with pytest.raises(NothingToDoError, match="changed nothing"):
        restored(state, None, service("t2"))
    begin(state, run_id="run-8")
    with pytest.raises(NothingToDoError, match="another deploy"):
        restored(state, target(), service("t3"))


def test_a_revived_run_undoes_what_it_did_after_a_later_deploy_went_live(state: StateHook) -> None:
    chosen = begin(state)
    later = begun(
        newest_entry("flights", state), run_id="run-8", kind="deploy", version=4, release_hold=False, reason=None
    )
    append("flights", later, state)
    running = EcsInMemory.running("t3", MODEL_VERSION="3", BUNDLE_DIGEST="d3", DEPLOY_REVISION=str(chosen["revision"]))
    with pytest.raises(NothingToDoError, match="another deploy"):
        restored(state, chosen, running)
    append("flights", went_live(later, version=4, bundle_digest="d4", task_definition="t4", image="app:4"), state)
    assert restored(state, chosen, running)["task_definition"] == "t4"
