"""The monitor DAG: its shape, its Params, and what its tasks do with domain errors."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from include.errors import NothingToDoError
from include.workloads import load as load_workload
from tests.support.build_stamps import build_stamp
from tests.support.dag_files import dag_run, load, platform_settings

__all__ = ["build_stamp"]


@pytest.fixture(scope="module")
def dag() -> Any:
    with platform_settings():
        return load("monitor").monitor(load_workload("flights"))


def test_its_tasks_and_their_order(dag: Any) -> None:
    assert {task.task_id: task.downstream_task_ids for task in dag.tasks} == {
        "plan": {"submit_lake", "submit_log", "evaluate", "ask_retrain"},
        "submit_lake": {"sense_lake"},
        "submit_log": {"sense_log"},
        "sense_lake": {"evaluate", "stop_jobs"},
        "sense_log": {"evaluate", "stop_jobs"},
        "evaluate": {"ask_retrain"},
        "ask_retrain": {"retrain"},
        "retrain": set(),
        "stop_jobs": set(),
    }


def test_it_runs_hourly_and_a_run_that_waits_for_a_retrain_holds_back_no_other(dag: Any) -> None:
    assert (dag.timetable.expression, dag.catchup) == ("35 * * * *", False)
    assert dag.max_active_runs > 1
    assert {name: dag.params[name] for name in dag.params} == {
        "until": None, "date": None, "hours": 24, "period_days": 7,
    }  # fmt: skip


def test_the_retrain_run_is_of_the_same_workload(dag: Any) -> None:
    assert dag.get_task("retrain").trigger_dag_id == "flights_retrain"


def test_nothing_live_skips_the_run(build_stamp: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    module = load("monitor")
    monkeypatch.setattr(module, "BUILD_FILE", build_stamp)

    def nothing(*_: Any) -> Any:
        raise NothingToDoError("No version of flights is live")

    monkeypatch.setattr(module.pipeline, "plan_monitor", nothing)
    params = {"until": None, "date": None, "hours": 24, "period_days": 7}
    with platform_settings(), pytest.raises(AirflowSkipException, match="No version"):
        module.plan.function("flights", dag_run=dag_run(), params=params)
