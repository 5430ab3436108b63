"""The retention DAG: its shape and its Params."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from include.workloads import load as load_workload
from tests.support.build_stamps import build_stamp
from tests.support.dag_files import dag_run, load, platform_settings

__all__ = ["build_stamp"]


def test_it_runs_weekly_and_alone() -> None:
    with platform_settings():
        dag: Any = load("retention").retention(load_workload("flights"))
    assert [task.task_id for task in dag.tasks] == ["expire"]
    assert (dag.max_active_runs, dag.catchup, dag.timetable.expression) == (1, False, "0 5 * * 0")
    assert {name: dag.params[name] for name in dag.params} == {"older_than_days": None, "dry_run": False}


def test_a_param_that_is_unknown_fails_at_once(build_stamp: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    module = load("retention")
    monkeypatch.setattr(module, "BUILD_FILE", build_stamp)
    run = dag_run(conf={"days": 3})
    with platform_settings(), pytest.raises(AirflowFailException, match="days"):
        module.expire.function("flights", dag_run=run, params={"older_than_days": None, "dry_run": True})
