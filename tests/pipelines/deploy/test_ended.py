"""A deploy that is ended from outside its run: by a person who goes back, or because its run is gone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from include.errors import ConflictError, NothingToDoError
from include.pipelines.deploy import DeployEndedError, DeployHooks, SupersededError, own_intent, resolve, restore
from include.pipelines.deploy.ended import end_by_person, end_without_run
from include.pipelines.deploy.live import NOTHING_LIVE, LivePointer, begun, went_live
from include.pipelines.deploy.live_log import append, newest_entry
from tests.support.deploy_runs import StateInMemory
from tests.support.ecs_in_memory import EcsInMemory
from tests.support.packages import Registry

LIVE: Any = {"bundle_digest": "d3", "task_definition": "t3", "image": "app:3"}


@pytest.fixture
def state() -> Any:
    return StateInMemory()


@pytest.fixture
def deploying(state: Any) -> LivePointer:
    """Version 2 is live, and a run is about to deploy version 3."""
    live: LivePointer = {**NOTHING_LIVE, "version": 2, "task_definition": "t2", "history": [2], "bundle_digest": "d2"}
    asked: Any = {"kind": "deploy", "version": 3, "release_hold": False, "reason": None}
    return append("flights", begun(live, run_id="run", **asked), state)


def asked_with(found: str | None) -> Callable[[str, str], str | None]:
    def run_state(dag_id: str, run_id: str) -> str | None:
        assert (dag_id, run_id) == ("flights_deploy", "run")
        return found

    return run_state


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ("failed", "run run of flights_deploy has ended (failed)"),
        ("success", "run run of flights_deploy has ended (success)"),
        (None, "run run of flights_deploy does not exist any more"),
    ],
)
def test_the_deploy_of_a_run_that_is_gone_is_given_up_and_says_why(
    state: Any, deploying: LivePointer, found: str | None, why: str
) -> None:
    (line,) = end_without_run("flights", asked_with(found), state)
    assert line.startswith(f"The deploy of version 3 was given up: {why}. The service may run that version, unverified")
    assert 'trigger flights_deploy with version "repair"' in line
    ended = newest_entry("flights", state)
    assert ended["intent"] is not None
    assert (ended["intent"]["status"], ended["intent"]["ended"]) == ("abandoned", why)
    assert (ended["version"], ended["hold"]) == (2, False)
    assert end_without_run("flights", asked_with(found), state) == []


@pytest.mark.parametrize("found", ["queued", "running"])
def test_the_deploy_of_a_run_at_work_goes_on(state: Any, deploying: LivePointer, found: str) -> None:
    assert end_without_run("flights", asked_with(found), state) == []
    assert newest_entry("flights", state) == deploying


def test_without_an_open_deploy_airflow_is_not_asked(state: Any) -> None:
    def run_state(dag_id: str, run_id: str) -> str | None:
        raise AssertionError

    assert end_without_run("flights", run_state, state) == []


def test_a_deploy_that_went_live_between_the_two_looks_is_left_alone(state: Any, deploying: LivePointer) -> None:
    def run_state(dag_id: str, run_id: str) -> str | None:
        append("flights", went_live(newest_entry("flights", state), version=3, **LIVE), state)
        return "success"

    assert end_without_run("flights", run_state, state) == []
    assert newest_entry("flights", state)["version"] == 3


def test_a_lost_record_is_named_and_stops_nothing_else(state: Any, deploying: LivePointer) -> None:
    state.delete("live#flights", "entry#000000000001")
    (line,) = end_without_run("flights", asked_with(None), state)
    assert "repair-live" in line


def test_a_run_that_a_person_ended_does_nothing_more_and_its_service_goes_back(
    state: Any, deploying: LivePointer
) -> None:
    end_by_person("flights", deploying, "ann", "too many complaints", state)
    with pytest.raises(SupersededError, match="version 3 was given up: rolled back by ann: too many complaints"):
        own_intent("flights", state, run_id="run")
    service, chosen = EcsInMemory.running("t3"), {"version": 3, "revision": 1}
    target: Any = chosen
    rollout = restore("flights", target, DeployHooks(state, service, Registry()), run_id="run")
    assert rollout["task_definition"] == "t2"
    restored = newest_entry("flights", state)
    assert restored["hold"], "nothing is deployed by itself until a person releases it"
    assert restored["intent"] is not None and restored["intent"].get("restored")


@pytest.mark.parametrize("serves", ["t2", "t3"])
def test_a_restore_of_an_ended_deploy_is_recorded_once(state: Any, deploying: LivePointer, serves: str) -> None:
    end_by_person("flights", deploying, "ann", "too many complaints", state)
    service = EcsInMemory.running(serves)
    for _ in range(2):
        with suppress(NothingToDoError):
            restore("flights", None, DeployHooks(state, service, Registry()), run_id="run")
    restored = newest_entry("flights", state)
    assert restored["intent"] is not None and restored["intent"].get("restored")
    assert restored["revision"] == deploying["revision"] + 2


def test_a_resolve_that_is_tried_again_does_not_undo_a_persons_end(state: Any, deploying: LivePointer) -> None:
    """This was red before: it began the deploy anew, under the hold that the person had set."""
    hooks = DeployHooks(state, EcsInMemory.running("t2"), Registry())
    ended = end_by_person("flights", deploying, "ann", "too many complaints", state)
    params: Any = {"version": "3", "release_hold": False, "reason": None, "dry_run": False}
    with pytest.raises(DeployEndedError, match="too many complaints"):
        resolve("flights", params, hooks, run_id="run", automatic=True, present=datetime.now(UTC))
    assert newest_entry("flights", state) == ended


def test_a_person_does_not_end_what_went_live_meanwhile(state: Any, deploying: LivePointer) -> None:
    append("flights", went_live(deploying, version=3, **LIVE), state)
    with pytest.raises(ConflictError):
        end_by_person("flights", deploying, "ann", "too many complaints", state)
    assert newest_entry("flights", state)["version"] == 3
