"""The stream's ingest DAG: its wiring, and what its tasks do with AWS."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from nightjar.state.hook import StateHook

from include.lake import layout, state_keys
from include.workloads import load as load_workload
from tests.support.dag_files import dag_run, load, platform_settings
from tests.support.kinesis_stream import event
from tests.support.moto_cloud import STATE, MotoCloud

PARAMS = {"until": None, "complete_to": None}
STREAM = load_workload("flights").stream.name


@pytest.fixture(scope="module")
def module() -> ModuleType:
    return load("ingest_stream")


@pytest.fixture(scope="module")
def dag(module: ModuleType) -> Any:
    with platform_settings():
        return module.ingest_stream(load_workload("flights"))


def test_one_run_at_a_time(dag: Any) -> None:
    assert dag.max_active_runs == 1
    assert type(dag.timetable).__name__ == "CronDataIntervalTimetable"


def test_the_watermark_comes_after_every_shard_and_not_after_a_failed_one(dag: Any) -> None:
    assert dag.get_task("kinesis_to_s3").upstream_task_ids == {"list_shards"}
    assert dag.get_task("advance_watermark").upstream_task_ids == {"kinesis_to_s3"}
    assert dag.get_task("advance_watermark").trigger_rule == "none_failed"
    (announced,) = dag.get_task("announce_feedback").outlets
    assert announced.uri == "nightjar://flights/feedback"


def test_groups_of_shards_are_read_side_by_side_within_limits(dag: Any) -> None:
    read = dag.get_task("kinesis_to_s3")
    assert read.partial_kwargs["max_active_tis_per_dagrun"] == 4
    assert read.execution_timeout.total_seconds() == 3600


@pytest.mark.stack
def test_the_tasks_bring_the_stream_into_raw(
    module: ModuleType, cloud: MotoCloud, build_stamp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUILD_FILE", build_stamp)
    client = cloud.client("kinesis")
    client.create_stream(StreamName=STREAM, ShardCount=1)
    for data in (event(1), event(2, request_id="r-1")):
        client.put_record(StreamName=STREAM, Data=data, PartitionKey="k")
    context: dict[str, Any] = {
        "dag_run": dag_run(run_after=datetime(2999, 1, 1, tzinfo=UTC)),
        "params": {**PARAMS, "complete_to": "2013-03-02T00:00:00Z"},
    }
    with platform_settings():
        (group,) = module.list_shards.function("flights", STREAM, **context)
        summaries = module.kinesis_to_s3.function("flights", STREAM, group, **context)
        watermark = module.advance_watermark.function("flights", [summaries], **context)
        assert module.announce_feedback.function([summaries]) == 1
        (again,) = module.kinesis_to_s3.function("flights", STREAM, group, **context)
        with pytest.raises(AirflowSkipException, match="nothing to ingest"):
            module.advance_watermark.function("flights", [[again]], **context)
        with pytest.raises(AirflowSkipException, match="No event came through"):
            module.announce_feedback.function([[again]])
    assert summaries[0]["records"] == 2
    assert len(cloud.lines(layout.raw_prefix("flights", STREAM))) == 2
    assert watermark == "2013-03-02T00:00:00.000000Z"
    assert StateHook(STATE).get(*state_keys.watermark_key("flights", STREAM)) == {"watermark": watermark}


@pytest.mark.stack
def test_a_run_without_shards_has_no_summaries(module: ModuleType, cloud: MotoCloud) -> None:
    with platform_settings(), pytest.raises(AirflowSkipException):
        module.advance_watermark.function("flights", None, dag_run=dag_run(), params=PARAMS)


@pytest.mark.parametrize("param", ["until", "complete_to"])
def test_a_param_that_is_not_an_instant_fails_the_first_task_at_once(
    module: ModuleType, param: str, build_stamp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUILD_FILE", build_stamp)
    params = {**PARAMS, param: "yesterday"}
    with platform_settings(), pytest.raises(AirflowFailException, match="'yesterday' is not an ISO 8601 time"):
        module.list_shards.function("flights", STREAM, dag_run=dag_run(), params=params)
