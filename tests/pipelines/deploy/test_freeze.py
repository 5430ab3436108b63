"""A deploy freeze stops what it should stop, lets a person go back, and ends by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from include.errors import ConflictError, NothingToDoError, UserError
from include.pipelines.deploy import freeze, frozen, unfreeze
from include.pipelines.deploy.freeze import Freeze, history, parse_until, sentence
from tests.support import deploy_runs
from tests.support.deploy_runs import FAILED, SKIPPED, SUCCESS, Deploys, StateInMemory

MODULE, DAG = deploy_runs.deploy_dag()
NOW = datetime(2026, 12, 20, 12, tzinfo=UTC)
END = NOW + timedelta(days=7)
WHY = "no deploys over the holidays"


@pytest.fixture
def state() -> StateInMemory:
    return StateInMemory()


def put(state: Any, **changed: Any) -> Freeze:
    given: dict[str, Any] = {"until": END, "by": "ada", "reason": WHY, "at": NOW, **changed}
    at, workload = given.pop("at"), given.pop("workload", "flights")
    return freeze(state, workload, given["until"], given["by"], given["reason"], at=at)


def test_it_holds_until_its_end_and_for_its_workload_alone(state: Any) -> None:
    entry = put(state)
    assert frozen(state, "flights", NOW) == entry
    assert frozen(state, "flights", END - timedelta(microseconds=1)) == entry
    assert frozen(state, "flights", END) is None
    assert frozen(state, "feedback", NOW) is None


def test_the_newest_entry_counts_and_every_one_stays_on_record(state: Any) -> None:
    put(state)
    longer = put(state, until=END + timedelta(days=1), by="bob")
    assert frozen(state, "flights", END) == longer
    ended = unfreeze(state, "flights", "cat", "the fix must go out", at=NOW)
    assert frozen(state, "flights", NOW) is None
    recorded = [(entry["by"], entry["revision"]) for entry in history(state, "flights")]
    assert recorded == [("cat", 3), ("bob", 2), ("ada", 1)]
    assert (ended["until"], ended["reason"]) == (None, "the fix must go out")


@pytest.mark.parametrize(
    "changed",
    [{"until": NOW}, {"until": NOW + timedelta(days=93)}, {"reason": "why"}, {"reason": " " * 20}],
)
def test_a_freeze_needs_an_end_that_is_near_and_a_reason(state: Any, changed: dict[str, Any]) -> None:
    with pytest.raises(UserError):
        put(state, **changed)
    assert frozen(state, "flights", NOW) is None


def test_what_is_not_frozen_cannot_be_unfrozen(state: Any) -> None:
    put(state)
    with pytest.raises(NothingToDoError):
        unfreeze(state, "flights", "cat", "the fix must go out", at=END)


def test_two_people_at_once_do_not_overwrite_each_other(state: Any) -> None:
    class Late(StateInMemory):
        """Reads before the other one writes."""

        def query(self, pk: str, *, last: int | None = None) -> dict[str, dict[str, Any]]:
            return {}

    put(state)
    late: Any = Late()
    late.items = state.items
    with pytest.raises(ConflictError):
        put(late, by="bob")
    assert [entry["by"] for entry in history(state, "flights")] == ["ada"]


def test_a_day_counts_to_its_end() -> None:
    assert parse_until("2026-12-27") == datetime(2026, 12, 28, tzinfo=UTC)
    assert parse_until("2026-12-27T06:00:00+01:00") == datetime(2026, 12, 27, 5, tzinfo=UTC)
    for wrong in ("2026-12-27T06:00:00", "christmas", "2026-13-01"):
        with pytest.raises(UserError, match="until"):
            parse_until(wrong)


def test_the_sentence_says_until_when_who_and_why(state: Any) -> None:
    assert sentence(put(state)) == f"Deploys are frozen until 2026-12-27 12:00 UTC by ada: {WHY}"


# --- deploy runs: the DAG's own tasks, with ECS and the registry in memory


@pytest.fixture
def deploys(state: StateInMemory) -> Deploys:
    """Versions 1 and 2 were verified live, and version 3 is approved."""
    made = Deploys(state, MODULE, DAG)
    for _ in range(2):
        made.approve(crashes=False, scores_wrongly=False)
        made.finish(made.trigger(automatic=True))
    made.approve(crashes=False, scores_wrongly=False)
    assert made.pointer()["version"] == 2
    return made


def now_frozen(deploys: Deploys) -> None:
    present = datetime.now(UTC)
    put(deploys.state.store, until=present + timedelta(days=1), at=present)


def ran(deploys: Deploys, version: Any = None, **options: Any) -> tuple[str, str]:
    run = deploys.trigger(version, **options)
    deploys.finish(run)
    return run.states["resolve"], deploys.colour(run)


def test_an_automatic_deploy_is_skipped_and_a_persons_is_red(deploys: Deploys) -> None:
    now_frozen(deploys)
    assert ran(deploys, automatic=True) == (SKIPPED, SUCCESS)
    for version in ("latest", 3, "live"):
        assert ran(deploys, version) == (FAILED, FAILED)
        assert ran(deploys, version, reason="it is urgent, really") == (FAILED, FAILED)
    assert deploys.pointer()["version"] == 2


def test_a_person_may_go_back_with_a_reason(deploys: Deploys) -> None:
    now_frozen(deploys)
    assert ran(deploys, "previous") == (FAILED, FAILED)
    assert ran(deploys, "previous", reason="version 2 refuses requests") == (SUCCESS, SUCCESS)
    assert deploys.pointer()["version"] == 1


def test_a_repair_of_the_record_needs_a_reason_too(deploys: Deploys) -> None:
    now_frozen(deploys)
    assert ran(deploys, "repair") == (FAILED, FAILED)
    assert ran(deploys, "repair", reason="the table was restored") == (SUCCESS, SUCCESS)


def test_after_the_freeze_the_version_that_it_held_up_is_deployed(deploys: Deploys) -> None:
    present = datetime.now(UTC)
    put(deploys.state.store, until=present - timedelta(seconds=1), at=present - timedelta(hours=1))
    assert ran(deploys, automatic=True) == (SUCCESS, SUCCESS)
    assert deploys.pointer()["version"] == 3


def test_what_a_dead_run_left_in_the_service_is_undone_in_a_freeze(deploys: Deploys) -> None:
    dead = deploys.trigger(automatic=True)
    deploys.step(dead)
    deploys.step(dead)  # ECS is set to version 3, and nobody verified it
    dead.dead = True
    now_frozen(deploys)
    deploys.service.finish_rollout(lambda environment: 0)
    assert ran(deploys, automatic=True) == (FAILED, FAILED)
    deploys.service.finish_rollout(lambda environment: 0)
    assert deploys.service.serving == deploys.pointer()["task_definition"]
