"""The backfill DAG: its wiring, its form, and how its tasks end."""

from __future__ import annotations

from itertools import pairwise
from types import ModuleType
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from nightjar.triggered_runs import TriggerRunOperator

from include.workloads import load as load_workload
from include.workloads.backfill import BackfillSpec
from tests.support.backfills import FORM
from tests.support.dag_files import dag_run, load, platform_settings, rendered


@pytest.fixture(scope="module")
def module() -> ModuleType:
    return load("backfill")


@pytest.fixture(scope="module")
def dag(module: ModuleType) -> Any:
    with platform_settings():
        return module.backfill(load_workload("flights"))


def test_nothing_starts_before_the_plan_is_approved(dag: Any) -> None:
    line = ["check", "plan", "approve", "begin", "chunks.turn", "chunks.run", "then_retrain"]
    line += ["retrains.turn", "retrains.run", "report"]
    for before, after in pairwise(line):
        assert after in dag.get_task(before).downstream_task_ids, (before, after)
    for task in ("approve", "begin", "chunks.turn", "chunks.run", "retrains.turn", "retrains.run"):
        assert dag.get_task(task).trigger_rule == "all_success", task


def test_a_chunk_that_fails_stops_neither_the_retrains_nor_the_report(dag: Any) -> None:
    assert [dag.get_task(task).trigger_rule for task in ("then_retrain", "report")] == ["all_done", "all_done"]
    assert [task.task_id for task in dag.leaves] == ["end"]
    assert {"begin", "chunks.run", "retrains.run", "report"} <= dag.get_task("end").upstream_task_ids
    assert dag.get_task("end").trigger_rule == "none_failed", "one failure of any of them makes the run red"


def test_chunks_and_retrains_are_runs_of_the_other_dags_in_the_pool_of_backfills(dag: Any) -> None:
    for group, other in (("chunks", "flights_process"), ("retrains", "flights_retrain")):
        run = dag.get_task(f"{group}.run")
        assert isinstance(run, TriggerRunOperator)
        assert (run.trigger_dag_id, run.pool) == (other, "nightjar_backfill")


def test_the_form_limits_the_chunks_at_work_and_retrains_follow_one_another(dag: Any) -> None:
    limits = {group: dag.get_task(f"{group}.turn").limit for group in ("chunks", "retrains")}
    assert limits == {"chunks": "{{ params.concurrency }}", "retrains": 1}


def test_a_dry_run_is_not_queued_behind_another_backfill(dag: Any) -> None:
    assert dag.max_active_runs > 1


def test_the_form_is_complete_and_its_defaults_are_accepted(dag: Any, module: ModuleType) -> None:
    assert set(dag.params) == set(FORM)
    params = {**{name: dag.params[name] for name in dag.params}, "from_date": "2013-03-01", "to_date": "2013-03-31"}
    request = module.check.function(dag_run=dag_run(), params=params)
    assert (request["chunk_days"], request["concurrency"], request["retrain_every"]) == (31, 1, 0)


def test_the_forms_defaults_are_the_workloads(module: ModuleType) -> None:
    declared = BackfillSpec(chunk_days=7, concurrency=2, approve_above_usd=0)
    with platform_settings():
        form = module.form(load_workload("flights").model_copy(update={"backfill": declared}))
        asked = module.form(load_workload("flights"))["approve_above_usd"].value
    assert [form[name].value for name in ("chunk_days", "concurrency", "approve_above_usd")] == [7, 2, 0]
    assert asked == 5, "the setting counts where the workload has no amount"


def test_a_wrong_field_fails_at_once(module: ModuleType) -> None:
    with pytest.raises(AirflowFailException, match="from_date is empty"):
        module.check.function(dag_run=dag_run(), params={**FORM, "from_date": None})


def test_a_person_reads_why_they_are_asked(dag: Any) -> None:
    plan = {"approval": "It may cost $6.", "sentence": "Ten days.", "page": "s3://a/plan.html"}
    approve = rendered(dag, "approve", {("plan", "return_value"): plan})
    assert approve.body == "It may cost $6. Ten days.\n\nPlan: s3://a/plan.html"
    assert approve.reason == "It may cost $6."


def test_after_a_plan_that_was_skipped_or_rejected_nothing_runs(module: ModuleType) -> None:
    with pytest.raises(AirflowSkipException):
        module.then_retrain.function(None, None)
    with pytest.raises(AirflowSkipException):
        module.report.function(None, None)
