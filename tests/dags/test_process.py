"""The process DAG: its wiring, its days, and how its tasks end."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from nightjar.objects import ObjectStoreHook
from nightjar.state.hook import StateHook

from include.lake import layout
from include.workloads import load as load_workload
from tests.support.dag_files import dag_run, load, platform_settings, rendered
from tests.support.moto_cloud import LAKE, STATE, MotoCloud

INTERVAL: dict[str, Any] = {
    "run_type": "scheduled",
    "data_interval_start": datetime(2013, 3, 1, 0, 30, tzinfo=UTC),
    "data_interval_end": datetime(2013, 3, 2, 0, 30, tzinfo=UTC),
}
NO_PARAMS = {"date": None, "end_date": None, "fresh": False, "dry_run": False}
XCOMS = {
    ("submit_transform", "submit_key"): "k-a2",
    ("submit_transform", "return_value"): "jr_1",
}
PLAN = {
    "days": {"2013-03-01": "f"},
    "days_text": "2013-03-01",
    "inputs": "s3://a/inputs/f.json",
    "submit_key": "k",
    "planned_at": "2013-03-02T00:30:00.000000Z",
    "code_sha": "c",
}


@pytest.fixture(scope="module")
def module() -> ModuleType:
    return load("process")


@pytest.fixture(scope="module")
def dag(module: ModuleType) -> Any:
    with platform_settings():
        return module.process(load_workload("flights"))


def test_nothing_is_published_but_through_the_gate(dag: Any) -> None:
    line = [
        "wait_raw",
        "plan",
        "submit_transform",
        "transform",
        "submit_audit",
        "audit",
        "gate",
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


def test_jobs_that_still_run_are_stopped_and_nothing_else_waits_for_that(dag: Any) -> None:
    stop = dag.get_task("stop_jobs")
    assert stop.is_teardown
    assert stop.upstream_task_ids == {"transform", "audit"}
    jobs = rendered(dag, "stop_jobs", XCOMS).jobs
    assert [(job.job_name, job.run_id) for job in jobs] == [("nightjar-transform", "jr_1"), ("nightjar-audit", None)]


@pytest.mark.parametrize(
    ("run", "params", "until"),
    [
        (INTERVAL, NO_PARAMS, datetime(2013, 3, 2, tzinfo=UTC)),
        ({}, {**NO_PARAMS, "date": "2013-03-05"}, datetime(2013, 3, 6, tzinfo=UTC)),
        (
            INTERVAL,
            {**NO_PARAMS, "date": "2013-02-27", "end_date": "2013-03-01"},
            datetime(2013, 3, 2, tzinfo=UTC),
        ),
    ],
)
def test_a_run_waits_until_raw_is_complete_for_its_last_day(
    dag: Any, run: dict[str, Any], params: dict[str, Any], until: datetime
) -> None:
    wait = rendered(dag, "wait_raw", dag_run=dag_run(**run), params=params)
    flights = load_workload("flights")
    assert wait.keys == [layout.watermark_key("flights", name) for name in (flights.stream.name, *flights.tables)]
    assert wait.arguments == {"at_least": until}
    assert wait.unmet == f"Raw data is not complete up to {until.isoformat()}"


def test_a_run_without_a_day_says_what_to_do(dag: Any, module: ModuleType, build_stamp: Path) -> None:
    with pytest.raises(ValueError, match='neither a data interval nor a Param "date"'):
        rendered(dag, "wait_raw", dag_run=dag_run(), params=NO_PARAMS)


def test_the_audit_reads_the_attempt_that_was_transformed_and_not_the_first(dag: Any) -> None:
    audit = rendered(dag, "submit_audit", XCOMS)
    assert audit.submit_key == "k-a2-audit"
    assert audit.arguments["--staging"] == "s3://nj-lake/staging/flights/k-a2/"
    assert audit.arguments["--docs"] == "s3://nj-artifact/data-docs/flights/k-a2/"


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
    objects.put_once(LAKE, key, b"x")
    objects.put(LAKE, layout.marker_key("flights", stream, day, key), b"")
    for table in workload.tables:
        StateHook(STATE).put(*layout.watermark_key("flights", table), {"watermark": "2013-03-01T00:00:00.000000Z"})


@pytest.mark.stack
def test_a_plan_is_of_the_runs_days_and_flags(
    module: ModuleType, cloud: MotoCloud, build_stamp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUILD_FILE", build_stamp)
    raw_data()
    run = dag_run(**INTERVAL)
    with platform_settings():
        planned = module.plan.function("flights", dag_run=run, params=NO_PARAMS)
        assert (planned["days_text"], planned["code_sha"]) == ("2013-03-01", "abc")
        day = {"status": "published", "fingerprint": planned["days"]["2013-03-01"], "code_sha": "abc"}
        StateHook(STATE).put("day#flights", "2013-03-01", day)
        with pytest.raises(AirflowSkipException, match="published from the same inputs"):
            module.plan.function("flights", dag_run=run, params=NO_PARAMS)
        with pytest.raises(AirflowSkipException, match="Dry run, 1 stream objects"):
            module.plan.function("flights", dag_run=run, params={**NO_PARAMS, "fresh": True, "dry_run": True})


@pytest.mark.stack
@pytest.mark.parametrize(
    ("params", "text"), [(NO_PARAMS, "No snapshot"), ({**NO_PARAMS, "date": "yesterday"}, "is not a day")]
)
def test_a_plan_that_cannot_be_made_fails_at_once(
    module: ModuleType,
    cloud: MotoCloud,
    build_stamp: Path,
    monkeypatch: pytest.MonkeyPatch,
    params: dict[str, Any],
    text: str,
) -> None:
    monkeypatch.setattr(module, "BUILD_FILE", build_stamp)
    with platform_settings(), pytest.raises(AirflowFailException, match=text):
        module.plan.function("flights", dag_run=dag_run(**INTERVAL), params=params)


@pytest.mark.stack
def test_the_gate_refuses_and_nothing_is_published(module: ModuleType, cloud: MotoCloud) -> None:
    refused = {"run": "k", "passed": [], "refused": {"2013-03-01": "20 % nulls"}}
    with platform_settings():
        with pytest.raises(AirflowFailException, match="the audit wrote no result"):
            module.gate.function("flights", PLAN, "k")
        with pytest.raises(AirflowFailException, match="nothing is published"):
            module.publish.function("flights", PLAN, "k", refused)
        with pytest.raises(AirflowFailException, match="20 % nulls"):
            module.refused_days.function(refused)


@pytest.mark.stack
def test_a_good_day_is_published(module: ModuleType, cloud: MotoCloud) -> None:
    cloud.client("glue").create_database(DatabaseInput={"Name": "nightjar"})
    audit = b'{"days": {"2013-03-01": {"success": true, "critical_failures": []}}}'
    ObjectStoreHook().put(LAKE, layout.audit_key("flights", "k"), audit)
    with platform_settings():
        gated = module.gate.function("flights", PLAN, "k")
        assert module.publish.function("flights", PLAN, "k", gated) == ["2013-03-01"]
        module.refused_days.function(gated)
    tables = cloud.client("glue").get_tables(DatabaseName="nightjar")["TableList"]
    assert {table["Name"] for table in tables} == {"flights_scheduled", "flights_landed"}
