"""The operator that triggers a run of another DAG once, and adopts the one that exists."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.standard.operators import trigger_dagrun
from airflow.sdk.exceptions import AirflowFailException, DagRunTriggerException, TaskDeferred
from nightjar import triggered_runs
from nightjar.triggered_runs import TriggerRunOperator, has_succeeded

RUN = {"run_id": "chunk-1", "conf": {"date": "2013-03-01"}}


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The runs that exist: id → state."""
    states: dict[str, str] = {}

    class Airflow:
        @staticmethod
        def get_dr_count(dag_id: str, run_ids: list[str]) -> int:
            return sum(run_id in states for run_id in run_ids)

        @staticmethod
        def get_dagrun_state(dag_id: str, run_id: str) -> str:
            return states[run_id]

    monkeypatch.setattr(triggered_runs, "RuntimeTaskInstance", Airflow)
    return states


class Context:
    """A task's context, which keeps what is pushed."""

    def __init__(self) -> None:
        self.pushed: dict[str, Any] = {}
        instance = SimpleNamespace(xcom_push=lambda key, value: self.pushed.__setitem__(key, value))
        self.context: Any = {"ti": instance, "task_instance": instance}


def operator() -> TriggerRunOperator:
    return TriggerRunOperator(task_id="run", trigger_dag_id="shop_process", run=RUN, poll_seconds=7)


def triggered() -> Any:
    with pytest.raises(DagRunTriggerException) as raised:
        operator().execute(Context().context)
    return raised.value


def test_a_run_that_does_not_exist_is_triggered_with_its_id_and_waited_for(runs: dict[str, str]) -> None:
    asked = triggered()
    assert (asked.trigger_dag_id, asked.dag_run_id, asked.conf) == ("shop_process", "chunk-1", RUN["conf"])
    assert (asked.wait_for_completion, asked.deferrable, asked.logical_date) == (True, True, None)


@pytest.mark.parametrize("state", ["queued", "running"])
def test_a_run_that_is_at_work_is_adopted(runs: dict[str, str], state: str) -> None:
    runs["chunk-1"] = state
    task = Context()
    with pytest.raises(TaskDeferred) as deferred:
        operator().execute(task.context)
    trigger: Any = deferred.value.trigger
    assert (trigger.dag_id, trigger.run_ids, trigger.poll_interval) == ("shop_process", ["chunk-1"], 7)
    assert task.pushed == {trigger_dagrun.XCOM_RUN_ID: "chunk-1"}


def test_a_run_that_has_succeeded_is_not_repeated(runs: dict[str, str]) -> None:
    runs["chunk-1"] = "success"
    assert operator().execute(Context().context) == "chunk-1"
    assert has_succeeded("shop_process", "chunk-1")


def test_after_a_run_that_failed_comes_the_next_attempt(runs: dict[str, str]) -> None:
    runs |= {"chunk-1": "failed", "chunk-1-a2": "failed"}
    assert triggered().dag_run_id == "chunk-1-a3"
    runs["chunk-1-a3"] = "success"
    assert operator().execute(Context().context) == "chunk-1-a3"
    assert not has_succeeded("shop_process", "chunk-2")


def test_a_failed_run_fails_the_task_without_a_retry() -> None:
    event = ("path", {"run_ids": ["chunk-1"], "chunk-1": "success"})
    assert operator().execute_complete(Context().context, event) == "chunk-1"
    event[1]["chunk-1"] = "failed"
    with pytest.raises(AirflowFailException, match="chunk-1 of shop_process failed"):
        operator().execute_complete(Context().context, event)
