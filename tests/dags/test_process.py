"""The process DAG: its wiring, its days, and how its tasks end."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from nightjar.objects import ObjectStoreHook
from nightjar.state.hook import StateHook

from include.lake import layout, state_keys
from include.workloads import load as load_workload
from include.workloads.jobs import JobsSpec
from tests.support.dag_files import dag_run, load, platform_settings, rendered
from tests.support.moto_cloud import LAKE, RAW, STATE, MotoCloud

INTERVAL: dict[str, Any] = {
    "run_type": "scheduled",
    "data_interval_start": datetime(2013, 3, 1, 0, 30, tzinfo=UTC),
    "data_interval_end": datetime(2013, 3, 2, 0, 30, tzinfo=UTC),
}
NO_PARAMS = {"date": None, "end_date": None, "fresh": False, "dry_run": False, "override": None}
XCOMS = {
    ("submit_transform", "submit_key"): "k-a2",
    ("submit_transform", "return_value"): "jr_1",
    ("plan", "recent"): "s3://a/inputs/flights/recent-1.json",
    ("plan", "return_value"): {"recent_key": "01234567"},
}
PLAN: dict[str, Any] = {
    "days": {"2013-03-01": "f"},
    "days_text": "2013-03-01",
    "inputs": "s3://a/inputs/f.json",
    "submit_key": "k",
    "planned_at": "2013-03-02T00:30:00.000000Z",
    "code_sha": "c",
    "recent": "s3://a/inputs/recent-1.json",
    "recent_key": "01234567",
    "override": None,
    "markers": {"2013-03-01": 1},
    "rows": 900,
    "bytes": 50_000,
    "late": [],
    "unprocessed": {"lines": [], "markers": {}},
}
JOB: dict[str, Any] = {"execution_seconds": 60, "worker_type": "G.1X", "workers": 2}
JOBS: Any = {"transform": JOB, "audit": JOB}


@pytest.fixture(scope="module")
def module() -> ModuleType:
    return load("process")


@pytest.fixture(scope="module")
def dag(module: ModuleType) -> Any:
    with platform_settings():
        return module.process(load_workload("flights"))


def test_nothing_is_published_but_through_the_gate(dag: Any) -> None:
    line = [
        "choose_days",
        "wait_raw",
        "plan",
        "submit_transform",
        "transform",
        "submit_audit",
        "audit",
        "gate",
        "wait_retrain",
        "publish",
        "refused_days",
    ]
    for before, after in pairwise(line):
        assert after in dag.get_task(before).downstream_task_ids
    for task_id in ("submit_transform", "transform", "submit_audit", "audit", "gate", "publish"):
        assert dag.get_task(task_id).trigger_rule == "all_success", task_id
    assert dag.get_task("publish").pool == "nightjar_publish"
    assert [asset.name for asset in dag.get_task("publish").outlets] == ["flights_processed"]


def test_a_run_that_is_skipped_whole_is_not_red_and_one_with_refused_days_is(dag: Any) -> None:
    assert dag.get_task("refused_days").trigger_rule == "none_failed_min_one_success"
    assert {"gate", "publish"} <= dag.get_task("refused_days").upstream_task_ids


def test_nothing_is_published_while_a_run_of_the_retrain_dag_reads_days(dag: Any) -> None:
    """Between its plan and the check of its data set; otherwise the check refuses it, and a person has to clear it."""
    with platform_settings():
        retrain = load("retrain").retrain(load_workload("flights"))
    wait = dag.get_task("wait_retrain")
    assert (wait.other_dag_id, wait.states) == (retrain.dag_id, ["running"]), "a queued run may wait for this very day"
    reads = {task.task_id for task in retrain.tasks if not task.is_teardown} - set(wait.ignored_tasks)
    assert reads == {"plan", "submit_dataset", "sense_dataset", "submit_digest", "sense_digest", "prepare"}
    # A run that reads waits for nobody: a run that waited for others would hold up the process run that they wait for.
    for before, after in pairwise([*wait.ignored_tasks[:3], "plan"]):
        assert after in retrain.get_task(before).downstream_task_ids, (before, after)


def test_jobs_that_still_run_are_stopped_and_nothing_else_waits_for_that(dag: Any) -> None:
    stop = dag.get_task("stop_jobs")
    assert stop.is_teardown
    assert stop.upstream_task_ids == {"transform", "audit"}
    jobs = rendered(dag, "stop_jobs", XCOMS).jobs
    assert [(job.job_name, job.run_id) for job in jobs] == [("nightjar-transform", "jr_1"), ("nightjar-audit", None)]


def test_a_run_waits_until_raw_is_complete_for_its_last_day(dag: Any) -> None:
    chosen = {"days": ["2013-02-28", "2013-03-01"], "last": "2013-03-01", "cutoff": "2013-03-02T00:00:00.000000Z"}
    wait = rendered(dag, "wait_raw", {("choose_days", "return_value"): chosen})
    flights = load_workload("flights")
    assert dag.get_task("wait_raw").upstream_task_ids == {"choose_days"}
    assert wait.keys == [state_keys.watermark_key("flights", name) for name in (flights.stream.name, *flights.tables)]
    assert wait.arguments == {"at_least": chosen["cutoff"]}
    assert wait.unmet == "Raw data is not complete up to 2013-03-02T00:00:00.000000Z"


def test_the_audit_reads_the_attempt_that_was_transformed_and_not_the_first(dag: Any) -> None:
    audit = rendered(dag, "submit_audit", XCOMS)
    assert audit.submit_key == "k-a2-audit-01234567"
    assert audit.arguments["--recent"] == "s3://a/inputs/flights/recent-1.json"
    assert audit.arguments["--staging"] == "s3://nj-lake/staging/flights/k-a2/"
    assert audit.arguments["--docs"] == "s3://nj-artifact/data-docs/flights/k-a2/"


def test_the_jobs_have_the_sizes_that_the_workload_declares(module: ModuleType, dag: Any) -> None:
    declared = JobsSpec.model_validate({"transform": {"workers": 9, "minutes": 300}, "audit": {"worker_type": "G.2X"}})
    with platform_settings():
        sized = module.process(load_workload("flights").model_copy(update={"jobs": declared}))
    assert sized.get_task("submit_transform").size == {"NumberOfWorkers": 9, "Timeout": 300}
    assert sized.get_task("submit_audit").size == {"WorkerType": "G.2X"}
    assert sized.get_task("transform").timeout > 300 * 60
    assert dag.get_task("submit_transform").size == dag.get_task("submit_audit").size == {}


def test_keys_reach_the_tasks_as_they_are_and_not_through_a_template(dag: Any) -> None:
    """A native template makes a number of a key that has only digits."""
    assert dag.get_task("submit_transform").submit_key.key == "submit_key"
    for task_id in ("gate", "publish"):
        run = next(value for value in dag.get_task(task_id).op_args if getattr(value, "key", "") == "submit_key")
        assert run.operator.task_id == "submit_transform"


def test_flags_are_flags(dag: Any) -> None:
    context = {"dag_run": dag_run(**INTERVAL), "params": {**NO_PARAMS, "fresh": True}}
    assert rendered(dag, "submit_transform", **context).fresh is True


def test_the_interval_is_a_whole_day(dag: Any) -> None:
    assert type(dag.timetable).__name__ == "CronDataIntervalTimetable"


# --- its tasks ------------------------------------------------------------------------------------------------------


def raw_data() -> None:
    objects, workload, day = ObjectStoreHook(), load_workload("flights"), datetime(2013, 3, 1, tzinfo=UTC).date()
    stream = workload.stream.name
    key = layout.raw_stream_key("flights", stream, day, "s", "1")
    objects.put_once(RAW, key, b"x")
    objects.put(LAKE, layout.marker_key("flights", stream, day, key), b"")
    for table in workload.tables:
        StateHook(STATE).put(*state_keys.watermark_key("flights", table), {"watermark": "2013-03-01T00:00:00.000000Z"})


@pytest.mark.stack
def test_a_plan_is_of_the_runs_days_and_flags(
    module: ModuleType, cloud: MotoCloud, build_stamp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUILD_FILE", build_stamp)
    raw_data()
    with platform_settings():
        days = module.choose_days.function("flights", dag_run=dag_run(**INTERVAL), params=NO_PARAMS)["days"]
        planned = module.plan.function("flights", days, dag_run=dag_run(**INTERVAL), params=NO_PARAMS)
        assert (planned["days_text"], planned["code_sha"]) == ("2013-03-01", "abc")
        day = {"status": "published", "fingerprint": planned["days"]["2013-03-01"], "code_sha": "abc"}
        StateHook(STATE).put("day#flights", "2013-03-01", day)
        with pytest.raises(AirflowSkipException, match="published from the same inputs"):
            module.plan.function("flights", days, dag_run=dag_run(**INTERVAL), params=NO_PARAMS)
        with pytest.raises(AirflowSkipException, match="Dry run: would process 2013-03-01 from 1 raw objects"):
            module.choose_days.function(
                "flights", dag_run=dag_run(**INTERVAL), params={**NO_PARAMS, "fresh": True, "dry_run": True}
            )


@pytest.mark.stack
def test_a_plan_without_a_snapshot_fails_at_once(
    module: ModuleType, cloud: MotoCloud, build_stamp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUILD_FILE", build_stamp)
    with platform_settings(), pytest.raises(AirflowFailException, match="No snapshot"):
        module.plan.function("flights", ["2013-03-01"], dag_run=dag_run(**INTERVAL), params=NO_PARAMS)


@pytest.mark.stack
@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"date": "yesterday"}, "'yesterday' is not a day"),
        ({"date": "{{ 7*7 }}"}, "is not a day"),
        ({"date": "٢٠١٣-٠٣-٠١"}, "is not a day"),
        ({"date": "2013-03-02", "end_date": "2013-03-01"}, "ends .2013-03-01. before it begins"),
        ({"date": "2013-03-02", "end_date": "9999-12-31"}, "more than 366 days"),
        ({"end_date": "2013-03-01"}, '"date" is empty'),
        ({"date": "2999-01-01"}, "has not ended"),
        ({"date": "2013-03-02"}, "no raw data of 2013-03-02"),
    ],
)
def test_a_persons_mistake_fails_at_once(
    module: ModuleType, cloud: MotoCloud, params: dict[str, Any], text: str
) -> None:
    with platform_settings(), pytest.raises(AirflowFailException, match=text):
        module.choose_days.function("flights", dag_run=dag_run(), params={**NO_PARAMS, **params})


@pytest.mark.stack
def test_the_gate_refuses_and_nothing_is_published(module: ModuleType, cloud: MotoCloud) -> None:
    refused = {"run": "k", "passed": [], "refused": {"2013-03-01": "20 % nulls"}, "warnings": [], "overridden": {}}
    with platform_settings():
        with pytest.raises(AirflowFailException, match="the audit wrote no result"):
            module.gate.function("flights", PLAN, "k")
        with pytest.raises(AirflowFailException, match="nothing is published"):
            module.publish.function("flights", PLAN, "k", refused)
        with pytest.raises(AirflowFailException, match="20 % nulls"):
            module.refused_days.function("flights", PLAN, refused, JOBS)


@pytest.mark.stack
@pytest.mark.parametrize("is_sent", [True, False])
def test_events_that_people_were_told_of_are_remembered_if_the_message_was_sent(
    module: ModuleType, cloud: MotoCloud, is_sent: bool
) -> None:
    if is_sent:
        cloud.client("sns").create_topic(Name="alerts")
    audit = b'{"days": {"2013-03-01": {"success": true, "critical_failures": []}}}'
    ObjectStoreHook().put(LAKE, layout.audit_key("flights", "k"), audit)
    unprocessed = {"lines": ["raw has events of 2013-02-01"], "markers": {"2013-02-01": 3}}
    with platform_settings():
        module.gate.function("flights", {**PLAN, "unprocessed": unprocessed}, "k", SimpleNamespace(run_id="r", conf={}))
    reported = StateHook(STATE).get(*state_keys.reported_events_key("flights"))
    assert reported == ({"markers": {"2013-02-01": 3}} if is_sent else None)


@pytest.mark.stack
def test_a_good_day_is_published(module: ModuleType, cloud: MotoCloud) -> None:
    cloud.client("glue").create_database(DatabaseInput={"Name": "nightjar"})
    audit = b'{"days": {"2013-03-01": {"success": true, "critical_failures": []}}}'
    ObjectStoreHook().put(LAKE, layout.audit_key("flights", "k"), audit)
    with platform_settings():
        gated = module.gate.function("flights", PLAN, "k")
        assert module.publish.function("flights", PLAN, "k", gated) == ["2013-03-01"]
        module.refused_days.function("flights", PLAN, gated, JOBS)
    (measured,) = StateHook(STATE).query("measured#flights#process").values()
    assert (measured["run"], measured["days"], measured["rows"]) == ("k", 1, 900)
    assert measured["usd"] == pytest.approx(120 / 3600 * 2 * 0.44)
    tables = cloud.client("glue").get_tables(DatabaseName="nightjar")["TableList"]
    assert {table["Name"] for table in tables} == {"flights_scheduled", "flights_landed"}
