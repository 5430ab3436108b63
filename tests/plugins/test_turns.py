"""Turns: instances of a mapped task start in their order, and not too many at once."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import TaskDeferred
from nightjar import turns
from nightjar.turns import TurnSensor, TurnTrigger, failed_runs

DAG_RUN = SimpleNamespace(dag_id="d", run_id="r")
RUNS = [{"run_id": f"chunk-{number}"} for number in range(4)]


@pytest.fixture
def states(monkeypatch: pytest.MonkeyPatch) -> dict[str, str | None]:
    """States of the task instances of the run."""
    found: dict[str, str | None] = {}

    class Airflow:
        @staticmethod
        def get_task_states(dag_id: str, task_ids: list[str], run_ids: list[str]) -> dict[str, Any]:
            return {"r": found} if (dag_id, run_ids) == ("d", ["r"]) else {}

    monkeypatch.setattr(turns, "RuntimeTaskInstance", Airflow)
    return found


def waits(index: int, limit: Any = 1) -> bool:
    """Whether the instance with this index has to wait for its turn."""
    sensor = TurnSensor(task_id="turn", of_task="chunks.run", limit=limit)
    instance = SimpleNamespace(dag_id="d", run_id="r", map_index=index)
    try:
        sensor.execute({"ti": instance})  # type: ignore[typeddict-item]
    except TaskDeferred:
        return True
    return False


def test_the_first_as_many_as_the_limit_go_at_once(states: dict[str, str | None]) -> None:
    assert not waits(0)
    assert waits(1)
    assert not waits(1, limit="2"), "a template may render to a text"
    assert waits(2, limit=2)


@pytest.mark.parametrize("state", ["success", "failed", "skipped", "upstream_failed"])
def test_an_ended_one_makes_place_however_it_ended(states: dict[str, str | None], state: str) -> None:
    states["chunks.run_0"] = state
    assert not waits(1)


@pytest.mark.parametrize("state", [None, "scheduled", "queued", "running", "deferred", "up_for_retry"])
def test_one_that_has_not_ended_keeps_its_place(states: dict[str, str | None], state: str | None) -> None:
    states |= {"chunks.run_0": state, "chunks.run_2": "success"}
    assert waits(1)


def test_only_one_instance_waits_so_two_cannot_take_one_place() -> None:
    assert TurnSensor(task_id="turn", of_task="chunks.run", limit=1).max_active_tis_per_dagrun == 1


def test_the_trigger_fires_when_the_turn_has_come_and_survives_a_restart(states: dict[str, str | None]) -> None:
    path, arguments = TurnTrigger("d", "r", "chunks.run", 1, limit=1, poll_seconds=0.01).serialize()
    assert path == "nightjar.turns.TurnTrigger"

    async def fire() -> bool:
        task = asyncio.ensure_future(anext(TurnTrigger(**arguments).run()))
        await asyncio.sleep(0.1)
        early = task.done()
        states["chunks.run_0"] = "success"
        await asyncio.wait_for(task, 10)
        return early

    assert asyncio.run(fire()) is False


def test_runs_that_failed_are_named(states: dict[str, str | None]) -> None:
    states |= {"chunks.run_0": "success", "chunks.run_1": "failed", "chunks.run_2": "upstream_failed"}
    assert failed_runs(DAG_RUN, "chunks", RUNS) == ["chunk-1", "chunk-2"]
