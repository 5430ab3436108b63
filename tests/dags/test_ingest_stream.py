"""The stream's ingest DAG: its wiring and where a run ends."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from nightjar.runs import run_end
from nightjar.stream.shard import Target

from include.lake import layout
from include.workloads import load as load_workload
from tests.support.dag_files import dag_run, load, platform_settings, rendered

PARAMS = {"until": None, "complete_to": None}
END = datetime(2013, 3, 1, 10, 15, tzinfo=UTC)


@pytest.fixture(scope="module")
def dag() -> Any:
    module = load("ingest_stream")
    with platform_settings():
        return module.ingest_stream(load_workload("flights"))


@pytest.mark.parametrize(
    ("run", "params", "end"),
    [
        (
            {"run_type": "scheduled", "data_interval_end": END, "logical_date": END},
            PARAMS,
            "2013-03-01T10:15:00.000000Z",
        ),
        ({"run_type": "backfill", "data_interval_end": END}, PARAMS, "2013-03-01T10:15:00.000000Z"),
        (
            {"logical_date": END, "data_interval_end": datetime(2013, 3, 1, 10, tzinfo=UTC)},
            PARAMS,
            "2013-03-01T10:15:00.000000Z",
        ),
        ({}, PARAMS, "2026-01-01T00:00:00.000000Z"),
        ({}, {**PARAMS, "until": "2013-04-01T00:00:00+02:00"}, "2013-03-31T22:00:00.000000Z"),
    ],
)
def test_where_a_run_ends(dag: Any, run: dict[str, Any], params: dict[str, Any], end: str) -> None:
    assert run_end(dag_run(**run), params) == end
    assert rendered(dag, "advance_watermark", dag_run=dag_run(**run), params=params).until == end


def test_one_run_at_a_time(dag: Any) -> None:
    assert dag.max_active_runs == 1
    assert type(dag.timetable).__name__ == "CronDataIntervalTimetable"


def test_the_watermark_comes_after_every_shard_and_not_after_a_failed_one(dag: Any) -> None:
    assert dag.get_task("kinesis_to_s3").upstream_task_ids == {"list_shards"}
    assert dag.get_task("advance_watermark").upstream_task_ids == {"kinesis_to_s3"}
    assert dag.get_task("advance_watermark").trigger_rule == "none_failed"


def test_key_patterns_give_the_keys_of_the_layout(dag: Any) -> None:
    target = Target(**dag.get_task("kinesis_to_s3").partial_kwargs["target"])
    names = {"ingest_date": date(2013, 3, 1), "shard_id": "shardId-1", "first_sequence": "49"}
    stream = load_workload("flights").stream.name
    raw = layout.raw_stream_key("flights", stream, *names.values())
    assert target.raw_key.format(**names) == raw
    marker = target.marker_key.format(event_date="2013-03-02", **names)
    assert marker == layout.marker_key("flights", stream, date(2013, 3, 2), raw)
    assert layout.marked_raw_key("flights", stream, marker) == raw
    assert target.quarantine_key.format(**names) == layout.quarantine_stream_key("flights", stream, *names.values())
