"""Nights, and the runs of a backfill, go on in the order of their dates, and then wait for another DAG's runs."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred
from nightjar.earlier_runs import EarlierRunsSensor

OTHERS: Any = {
    "other_dag_id": "other",
    "advice": "",
    "deadline_seconds": 60,
    "execution_timeout": timedelta(minutes=2),
    "patience_seconds": 0,
}


@pytest.fixture(autouse=True)
def at_work(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The other DAG's runs that are at work: none, until a test adds one."""
    runs: list[str] = []
    monkeypatch.setattr("nightjar.active_runs.active_runs", lambda *which: len(runs))
    return runs


def look(run_type: str = "backfill", method: str = "execute", **earlier: Any) -> Any:
    """What the sensor waits for; ``earlier``: state → the newest earlier run in that state."""
    instance = SimpleNamespace(dag_id="d", get_previous_dagrun=lambda state: earlier.get(state))
    context: Any = {"ti": instance, "dag_run": SimpleNamespace(run_type=run_type)}
    sensor = EarlierRunsSensor(task_id="wait_runs", poll_seconds=3, **OTHERS)
    try:
        getattr(sensor, method)(context, *([{}] if method == "look_again" else []))
    except TaskDeferred as deferred:
        return deferred.trigger
    return None


def run(name: str, run_type: str = "backfill") -> Any:
    return SimpleNamespace(run_id=name, run_type=run_type)


@pytest.mark.parametrize("method", ["execute", "look_again"])
def test_a_run_waits_for_the_newest_earlier_one_and_then_looks_again(method: str) -> None:
    trigger = look(method=method, running=run("backfill__1"))
    assert (trigger.run_ids, trigger.states, trigger.poll_interval) == (["backfill__1"], ["failed", "success"], 3)
    assert look(method=method) is None


def test_a_night_waits_for_an_earlier_night_and_for_nobody_else() -> None:
    assert look("scheduled", running=run("scheduled__1", "scheduled")).run_ids == ["scheduled__1"]
    for run_type in ("backfill", "manual", "operator_triggered"):
        assert look("scheduled", running=run("other__1", run_type), queued=run("backfill__0")) is None


@pytest.mark.parametrize("run_type", ["scheduled", "backfill", "manual"])
def test_every_run_waits_for_the_other_dags_runs_after_the_earlier_ones(at_work: list[str], run_type: str) -> None:
    at_work.append("other__1")
    assert look(run_type).other_dag_id == "other"
    if run_type != "manual":
        assert look(run_type, running=run("earlier__1", run_type)).run_ids == ["earlier__1"], "a reader waits for none"


def test_its_time_limit_leaves_room_for_both_waits() -> None:
    sensor = EarlierRunsSensor(task_id="wait_runs", longest=timedelta(hours=1), **OTHERS)
    assert sensor.execution_timeout == timedelta(hours=1, minutes=2)


def test_a_persons_run_waits_for_nobody() -> None:
    for run_type in ("manual", "operator_triggered"):
        assert look(run_type, running=run("scheduled__1", "scheduled"), queued=run("backfill__0")) is None


def test_a_backfill_that_runs_backwards_fails_at_once() -> None:
    with pytest.raises(AirflowFailException, match="backfill__0, for an earlier date, has not started"):
        look(queued=run("backfill__0"))
    assert look(queued=run("scheduled__0", "scheduled")) is None, "a night that is queued is no such backfill"
