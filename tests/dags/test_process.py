"""The process DAG: its wiring, its days, what its jobs are told."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from include.workloads import load as load_workload
from tests.support.dag_files import dag_run, load, platform_settings, rendered

INTERVAL = {
    "run_type": "scheduled",
    "data_interval_start": datetime(2013, 3, 1, 0, 30, tzinfo=UTC),
    "data_interval_end": datetime(2013, 3, 2, 0, 30, tzinfo=UTC),
}
NO_PARAMS = {"date": None, "end_date": None, "fresh": False, "dry_run": False}
XCOMS = {
    ("plan", "return_value"): {
        "days_text": "2013-03-01",
        "inputs": "s3://a/inputs/f.json",
        "submit_key": "k",
        "code_sha": "c",
    },
    ("submit_transform", "submit_key"): "k-a2",
    ("submit_transform", "return_value"): "jr_1",
}


@pytest.fixture(scope="module")
def dag() -> Any:
    module = load("process")
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
    assert [job["id"] for job in jobs] == ["jr_1", "None"]
    assert {job["job_name"] for job in jobs} == {"nightjar-transform", "nightjar-audit"}


@pytest.mark.parametrize(
    ("run", "params", "days", "until"),
    [
        (INTERVAL, NO_PARAMS, "2013-03-01", "2013-03-02T00:00:00+00:00"),
        ({}, {**NO_PARAMS, "date": "2013-03-05"}, "2013-03-05", "2013-03-06T00:00:00+00:00"),
        (
            INTERVAL,
            {**NO_PARAMS, "date": "2013-02-27", "end_date": "2013-03-01"},
            "2013-02-27,2013-02-28,2013-03-01",
            "2013-03-02T00:00:00+00:00",
        ),
    ],
)
def test_the_days_of_a_run(dag: Any, run: dict[str, Any], params: dict[str, Any], days: str, until: str) -> None:
    context = {"dag_run": dag_run(**run), "params": params}
    assert rendered(dag, "plan", **context).days == days
    assert rendered(dag, "wait_raw", **context).at_least == until


def test_a_run_without_a_day_says_what_to_do(dag: Any) -> None:
    with pytest.raises(ValueError, match='neither a data interval nor a Param "date"'):
        rendered(dag, "plan", dag_run=dag_run(), params=NO_PARAMS)


def test_the_jobs_are_told_what_the_contract_says(dag: Any) -> None:
    transform = rendered(dag, "submit_transform", XCOMS).arguments
    assert transform == {
        "--workload": "flights",
        "--days": "2013-03-01",
        "--inputs": "s3://a/inputs/f.json",
        "--staging": "s3://nj-lake/staging/flights/${submit_key}/",
        "--quarantine": "s3://nj-lake/quarantine/flights/transform/${submit_key}/",
        "--code-sha": "c",
    }
    audit = rendered(dag, "submit_audit", XCOMS)
    assert audit.submit_key == "k-a2-audit"
    assert audit.arguments["--staging"] == "s3://nj-lake/staging/flights/k-a2/", (
        "the attempt that was transformed, not the first"
    )
    assert audit.arguments["--docs"] == "s3://nj-artifact/data-docs/flights/k-a2/"
    assert rendered(dag, "gate", XCOMS).run == "k-a2"
    assert dag.get_task("gate").audit_key == "staging/flights/{run}/audit.json"


def test_each_event_type_is_a_table_whose_partitions_lie_in_the_run(dag: Any) -> None:
    tables = dag.get_task("publish").tables
    assert set(tables) == {"flights_scheduled", "flights_landed"}
    assert tables["flights_landed"]["partition"] == "s3://nj-lake/staging/flights/{run}/landed/event_date={day}/"


def test_the_interval_is_a_whole_day(dag: Any) -> None:
    assert type(dag.timetable).__name__ == "CronDataIntervalTimetable"
