"""The retrain DAG: its shape, its Params, the rendered arguments of its tasks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import AssetAlias
from airflow.sdk.exceptions import AirflowFailException
from nightjar.jobs.athena import AthenaQuery
from nightjar.jobs.sagemaker import ProcessingJob, TrainingJob, TuningJob

from include.errors import ConflictError
from include.pipelines.process import RefusedDayError
from include.workloads import load as load_workload
from tests.support.dag_files import dag_run, load, platform_settings, rendered

TRAINED = {("sense_training", "return_value"): {"model_uri": "s3://a/model.tar.gz", "metrics": {"auc": 0.7}}}


@pytest.fixture(scope="module")
def module() -> ModuleType:
    return load("retrain")


@pytest.fixture(scope="module")
def dag(module: ModuleType) -> Any:
    with platform_settings():
        return module.retrain(load_workload("flights"))


def test_it_is_found_and_small(dag: Any) -> None:
    assert len(dag.tasks) <= 19
    assert dag.catchup is False
    assert dag.doc_md.startswith("# Retrain")
    assert dag.tags == {"nightjar", "retrain", "flights"}


def test_its_interval_is_a_real_one(dag: Any) -> None:
    assert type(dag.timetable).__name__ == "CronDataIntervalTimetable"
    assert dag.timetable.expression == "0 2 * * *"


def test_params_are_typed_and_described(dag: Any) -> None:
    assert set(dag.params) == {"date", "fresh", "dry_run", "backfilled", "tune"}
    for name in dag.params:
        schema = dag.params.get_param(name)
        assert schema.description and "type" in schema.schema
    assert dag.params.get_param("date").schema["format"] == "date"


def test_submit_then_sense(dag: Any) -> None:
    for stage in ("dataset", "digest", "training", "tuning", "evaluation"):
        assert dag.get_task(f"submit_{stage}").downstream_task_ids >= {f"sense_{stage}"}
    order = [
        "choose_day",
        "wait_day",
        "wait_runs",
        "plan",
        "submit_dataset",
        "sense_dataset",
        "prepare",
        "submit_training",
        "sense_training",
    ]
    order += ["submit_evaluation", "sense_evaluation", "register"]
    for before, after in pairwise(order):
        assert after in dag.get_task(before).downstream_task_ids


def test_trials_run_beside_the_baseline_and_a_run_without_them_goes_on(dag: Any) -> None:
    tuning = dag.get_task("submit_tuning")
    assert tuning.upstream_task_ids == {"prepare"}
    assert dag.get_task("submit_evaluation").upstream_task_ids == {"prepare", "sense_training", "sense_tuning"}
    # none_failed alone would run both in a dry run, which skips everything before them.
    for task in ("submit_evaluation", "register"):
        assert dag.get_task(task).trigger_rule == "none_failed_min_one_success"


def test_a_workload_that_declares_no_tuning_has_no_tasks_for_it(module: ModuleType, dag: Any) -> None:
    with platform_settings():
        other = module.retrain(load_workload("feedback"))
    assert {task.task_id for task in dag.tasks} - {task.task_id for task in other.tasks} == {
        "submit_tuning",
        "sense_tuning",
    }


@pytest.mark.parametrize(
    ("tuned", "uri"),
    [
        (None, "s3://a/baseline.tar.gz"),
        ({"model_uri": "s3://a/trial.tar.gz", "objective": 0.72}, "s3://a/trial.tar.gz"),
        ({"model_uri": "s3://a/trial.tar.gz", "objective": 0.69}, "s3://a/baseline.tar.gz"),
    ],
)
def test_the_better_model_on_validation_is_evaluated(dag: Any, tuned: dict[str, Any] | None, uri: str) -> None:
    baseline = {"model_uri": "s3://a/baseline.tar.gz", "metrics": {"auc": 0.70}}
    xcoms: dict[tuple[str, str], Any] = {("sense_training", "return_value"): baseline}
    if tuned:
        xcoms["sense_tuning", "return_value"] = tuned
    assert rendered(dag, "submit_evaluation", xcoms).references == {"model_uri": uri}


def test_the_teardown_waits_for_every_sensor_and_has_no_set_up(dag: Any) -> None:
    stop = dag.get_task("stop_jobs")
    assert stop.is_teardown
    stages = ("dataset", "digest", "training", "tuning", "evaluation")
    assert stop.upstream_task_ids == {f"sense_{stage}" for stage in stages}
    assert not any(task.is_setup for task in dag.tasks)
    assert [type(job) for job in stop.jobs] == [AthenaQuery, AthenaQuery, TrainingJob, TuningJob, ProcessingJob]


def test_only_registering_may_emit_the_asset(dag: Any) -> None:
    alias = AssetAlias("flights-approved-model")
    assert {task.task_id: task.outlets for task in dag.tasks if task.outlets} == {"register": [alias]}


def test_every_task_has_an_owner_retries_a_time_limit_and_reports_failures(dag: Any) -> None:
    for task in dag.tasks:
        assert task.owner != "airflow"
        assert task.retries >= 1
        assert task.execution_timeout is not None
        assert task.on_failure_callback


@pytest.mark.parametrize("day", [str(date(2013, 1, 1) + timedelta(days=offset)) for offset in range(0, 366, 5)])
def test_the_day_waited_for_is_the_chosen_one_as_text(dag: Any, day: str) -> None:
    """Templates are rendered as native objects: 2013-10-11 must become neither a date nor a number."""
    wait = rendered(dag, "wait_day", {("choose_day", "return_value"): {"last": day}})
    assert wait.keys == [("day#flights", day)]
    assert wait.unmet.startswith(f"Day {day} was")


def test_what_the_process_run_of_the_day_has_reported_is_not_reported_again(
    dag: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def one_failed_run(**given: Any) -> int:
        asked.append(given)
        return 1

    monkeypatch.setattr("nightjar.other_runs.RuntimeTaskInstance", SimpleNamespace(get_dr_count=one_failed_run))
    wait, end = dag.get_task("wait_day"), datetime(2013, 3, 2, 2, tzinfo=UTC)
    assert wait.reported is RefusedDayError
    assert wait.cause_reported({"dag_run": SimpleNamespace(data_interval_end=end)})
    run = {"dag_id": "flights_process", "logical_dates": [datetime(2013, 3, 1, 0, 30, tzinfo=UTC)]}
    assert asked == [{**run, "states": ["failed"]}]


@pytest.mark.parametrize("key", ["k", "12345678901234567890", "12345e67890123456789", "00000000000000000000", "0x10"])
def test_the_jobs_get_their_keys_as_text(dag: Any, key: str) -> None:
    names = {"training_name": f"nj-flights-train-{key}", "evaluation_name": f"nj-flights-eval-{key}"}
    xcoms: dict[tuple[str, str], Any] = {
        ("plan", "return_value"): {"key": key, "digest_key": f"{key}-digest"},
        ("submit_dataset", "submit_key"): key,
        ("prepare", "return_value"): names,
        ("sense_training", "return_value"): {"model_uri": "s3://a/model.tar.gz", "metrics": {}},
    }
    assert rendered(dag, "submit_dataset", xcoms).submit_key == key
    assert rendered(dag, "submit_digest", xcoms).submit_key == f"{key}-digest"
    assert rendered(dag, "submit_training", xcoms).submit_key == names["training_name"]
    assert rendered(dag, "prepare", xcoms).op_args[2] == key
    evaluation = rendered(dag, "submit_evaluation", xcoms)
    assert evaluation.submit_key == names["evaluation_name"]
    assert evaluation.references == {"model_uri": "s3://a/model.tar.gz"}


@pytest.mark.parametrize("fresh", [False, True])
def test_fresh_is_a_boolean(dag: Any, fresh: bool) -> None:
    for stage in ("dataset", "digest", "training", "tuning", "evaluation"):
        assert rendered(dag, f"submit_{stage}", TRAINED, params={"fresh": fresh}).fresh is fresh


def test_a_job_that_was_never_started_has_no_id(dag: Any) -> None:
    stop = rendered(dag, "stop_jobs", {("submit_dataset", "return_value"): "q-1"})
    assert [job.identifier for job in stop.jobs] == ["q-1", None, None, None, None]


def test_a_sensor_refers_to_the_submitted_job(dag: Any) -> None:
    xcoms = {("submit_evaluation", "return_value"): "nj-flights-eval-1"}
    assert rendered(dag, "sense_evaluation", xcoms).job == ProcessingJob("nj-flights-eval-1")


# --- its tasks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("day", "text"), [("banana", "'banana' is not a day"), ("2999-01-01", "has not ended")])
def test_a_persons_mistake_fails_at_once(module: ModuleType, day: str, text: str) -> None:
    with platform_settings(), pytest.raises(AirflowFailException, match=text):
        module.choose_day.function("flights", dag_run=dag_run(), params={"date": day})


def test_a_plan_that_is_out_of_date_fails_at_once_since_a_retry_has_the_same_plan(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def conflict(*arguments: Any, **options: Any) -> None:
        raise ConflictError("published again")

    monkeypatch.setattr(module.athena, "query_rows", lambda *arguments: [])
    monkeypatch.setattr(module.pipeline, "prepare", conflict)
    params = {"fresh": False, "dry_run": False, "backfilled": False}
    with platform_settings(), pytest.raises(AirflowFailException, match="published again"):
        module.prepare.function("flights", {}, "k", {"query_execution_id": "q"}, dag_run=dag_run(), params=params)


@pytest.mark.parametrize("request_", [None, {"HyperParameterTuningJobConfig": {}}])
def test_without_trials_the_tuning_job_is_skipped_without_a_start(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch, request_: dict[str, Any] | None
) -> None:
    skipped: list[str] = []
    monkeypatch.setattr(module.athena, "query_rows", lambda *arguments: [])
    monkeypatch.setattr(module.pipeline, "prepare", lambda *arguments, **options: {"tuning": request_})
    monkeypatch.setattr(module.pipeline, "asked_of", lambda *arguments: {})
    monkeypatch.setattr(module, "skip_next", lambda result, reason, *tasks: skipped.extend(tasks))
    for name, expected in (("flights", [] if request_ else ["submit_tuning"]), ("feedback", [])):
        skipped.clear()
        with platform_settings():
            module.prepare.function(name, {}, "k", {"query_execution_id": "q"}, dag_run=dag_run(), params={})
        assert skipped == expected
