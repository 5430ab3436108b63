"""Which runs of another DAG count as at work. On a real Airflow: tests/plugins/on_airflow/test_ended_runs.py."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import TaskDeferred
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
from nightjar.active_runs import RUNNING, NoActiveRunsSensor, active_runs


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Another DAG has two running runs, one of them in an ignored task, and a queued one. Returns what is asked."""
    found: dict[str, Any] = {}

    def runs(dag_id: str, states: list[str]) -> int:
        return {"running": 2, "queued": 1}[states[0]] if len(states) == 1 else 3

    def tasks(**which: Any) -> int:
        found.update(which)
        return 1

    monkeypatch.setattr(RuntimeTaskInstance, "get_dr_count", staticmethod(runs))
    monkeypatch.setattr(RuntimeTaskInstance, "get_ti_count", staticmethod(tasks))
    return found


def test_a_queued_run_counts_only_if_it_is_asked_for(asked: dict[str, Any]) -> None:
    assert active_runs("other", ["running", "queued"], []) == 3
    assert active_runs("other", [RUNNING], []) == 2
    assert asked == {}, "without ignored tasks, their number does not matter"


def test_a_run_in_an_ignored_task_does_not_count(asked: dict[str, Any]) -> None:
    assert active_runs("other", [RUNNING], ("wait_raw",)) == 1
    assert asked["task_ids"] == ["wait_raw"] and "deferred" in asked["states"] and "success" not in asked["states"]


def test_by_default_a_queued_run_counts() -> None:
    """It may begin to write at any time."""
    sensor = NoActiveRunsSensor(task_id="wait", other_dag_id="other", advice="", deadline_seconds=1)
    assert sensor.states == ["running", "queued"]


@pytest.mark.parametrize(("ends_after", "defers"), [(0, False), (3, False), (50, True)])
def test_a_run_that_ends_within_seconds_is_waited_for_in_the_worker(
    monkeypatch: pytest.MonkeyPatch, ends_after: int, defers: bool
) -> None:
    now = [100.0]
    clock = SimpleNamespace(monotonic=lambda: now[0], sleep=lambda seconds: now.append(now.pop() + seconds))
    monkeypatch.setattr("nightjar.active_runs.time", clock)
    looks = iter([1] * ends_after + [0])
    monkeypatch.setattr("nightjar.active_runs.active_runs", lambda *which: next(looks))
    sensor = NoActiveRunsSensor(task_id="wait", other_dag_id="other", advice="", deadline_seconds=60)
    try:
        sensor.execute({})
    except TaskDeferred:
        assert defers and 2 < now[0] - 100 <= 3
    else:
        assert not defers and now[0] == 100 + ends_after * 0.5
