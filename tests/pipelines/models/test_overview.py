"""What is live, what hinders a deploy, and which version an action would deploy."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from include.pipelines.deploy.freeze import freeze
from include.pipelines.deploy.live import NOTHING_LIVE
from include.pipelines.deploy.live_log import append
from include.pipelines.models.overview import Overview, overview
from include.pipelines.models.versions import Version
from tests.support.deploy_runs import StateInMemory
from tests.support.models_page import START, made

NOW = START + timedelta(days=40)
VERSIONS = [
    Version(made(4, "Rejected"), START + timedelta(days=4)),
    Version(made(3, "PendingManualApproval"), START + timedelta(days=30)),
    Version(made(2), START + timedelta(days=20)),
    Version(made(1), START),
]


def state(**live: Any) -> Any:
    stored: Any = StateInMemory()
    pointer: Any = {**NOTHING_LIVE, "version": 2, "history": [2, 1], "bundle_digest": "d2", "revision": 1, **live}
    append("flights", pointer, stored)
    return stored


def shown(stored: Any, at: datetime = NOW) -> Overview:
    return overview("flights", VERSIONS, stored, [], present=at, running={"run5"})


def test_the_live_version_and_what_a_person_may_do() -> None:
    found = shown(state())
    assert found["live"] is not None and found["live"]["version"] == 2
    assert (found["revision"], found["hold"], found["freeze"], found["deploying"]) == (1, False, None, None)
    assert (found["waiting"], found["versions"]) == ([3], 4)
    assert (found["roll_back"]["version"], found["release"]["version"]) == (1, 2)


def test_the_cost_is_that_of_the_last_thirty_days() -> None:
    assert shown(state())["cost_usd"] == 0.025  # of versions 2 and 3


def test_before_the_first_deploy_nothing_is_live_and_nothing_to_go_back_to() -> None:
    found = shown(StateInMemory())
    assert (found["live"], found["revision"], found["problem"]) == (None, 0, "")
    assert found["roll_back"]["version"] is None and "no previous version" in found["roll_back"]["refused"]


def test_a_lost_record_is_a_problem_and_no_empty_one() -> None:
    stored = state()
    stored.delete("live#flights", "entry#000000000001")
    found = shown(stored)
    assert found["live"] is None and "repair-live" in found["problem"]


def test_a_version_that_the_registry_lost_is_not_shown_as_live() -> None:
    assert shown(state(version=9, history=[9]))["live"] is None


def test_a_deploy_that_has_begun_is_named() -> None:
    intent = {"run_id": "run5", "kind": "deploy", "version": 3, "replaces": 2, "release_hold": False, "reason": None}
    found = shown(state(intent={**intent, "revision": 1, "status": "open"}))
    assert found["deploying"] == {"version": 3, "run_id": "run5", "ends_by_roll_back": True}
    assert shown(state(intent={**intent, "revision": 1, "status": "live"}))["deploying"] is None


def test_a_deploy_whose_run_has_ended_is_no_running_one() -> None:
    intent = {"run_id": "gone", "kind": "deploy", "version": 3, "replaces": 2, "release_hold": False, "reason": None}
    found = shown(state(intent={**intent, "revision": 1, "status": "open"}))
    assert found["deploying"] is None
    assert "version 3 was not finished: its run gone has ended" in found["given_up"]
    given_up = {**intent, "revision": 1, "status": "abandoned", "ended": "rolled back by ann: too many complaints"}
    assert "given up: rolled back by ann: too many complaints." in shown(state(intent=given_up))["given_up"]


def ended(run_id: str, **more: Any) -> Any:
    """A deploy of version 3 that was ended from outside its run."""
    asked = {"kind": "deploy", "version": 3, "replaces": 2, "release_hold": False, "reason": None, "revision": 1}
    return state(intent={**asked, "run_id": run_id, "status": "abandoned", "ended": "because", **more})


def test_what_the_service_may_still_run_is_told_until_its_run_has_restored_it() -> None:
    """This was red before: once the deploy was given up, nothing said that its version might still serve."""
    told = shown(ended("gone"))["given_up"]
    assert told.startswith("The deploy of version 3 was given up: because. The service may run that version, unverifi")
    assert 'trigger flights_deploy with version "repair"' in told and "version 2" in told
    assert shown(ended("gone", restored=True))["given_up"] == "The deploy of version 3 was given up: because."
    going_back = shown(ended("run5"))["given_up"]
    assert "Run run5 goes back to version 2 at its next step" in going_back and "repair" not in going_back


def test_of_a_deploy_that_was_not_finished_the_action_is_told_too() -> None:
    told = shown(ended("gone", status="open"))["given_up"]
    assert "unverified" in told and 'trigger flights_deploy with version "repair"' in told


def test_a_freeze_ends_by_itself() -> None:
    stored = state()
    freeze(stored, "flights", NOW + timedelta(hours=1), "ann", "the holidays begin", at=NOW)
    found = shown(stored)
    assert found["freeze"] is not None and found["freeze"]["by"] == "ann"
    assert shown(stored, NOW + timedelta(hours=2))["freeze"] is None


def test_after_a_roll_back_the_hold_is_released_by_what_was_not_rolled_back() -> None:
    found = shown(state(version=1, history=[1], bundle_digest="d1", hold=True, rolled_back={"2": "run2"}))
    assert found["hold"] and found["release"]["version"] == 1
