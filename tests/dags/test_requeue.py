"""The requeue DAG: its one task."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest
from airflow.sdk.exceptions import AirflowSkipException
from nightjar.kinesis.hook import KinesisHook
from nightjar.objects import ObjectStoreHook
from nightjar.state.hook import StateHook

from include.lake import layout
from include.pipelines.ingest.shard import ShardIngest
from include.pipelines.ingest.target import StreamTarget
from include.workloads import load as load_workload
from tests.support.dag_files import dag_run, load, platform_settings
from tests.support.kinesis_stream import SHARD
from tests.support.moto_cloud import BUCKETS, STATE, MotoCloud

pytestmark = pytest.mark.stack
STREAM = load_workload("flights").stream.name


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch, build_stamp: Path) -> ModuleType:
    found = load("requeue")
    monkeypatch.setattr(found, "BUILD_FILE", build_stamp)
    return found


def test_nothing_starts_it_but_a_person_and_it_runs_alone(module: ModuleType) -> None:
    with platform_settings():
        dag = module.requeue(load_workload("flights"))
    assert dag.dag_id == "flights_requeue" and dag.schedule is None and dag.max_active_runs == 1


def test_quarantined_records_are_read_again_by_this_build(module: ModuleType, cloud: MotoCloud) -> None:
    client = cloud.client("kinesis")
    client.create_stream(StreamName=STREAM, ShardCount=1)
    client.put_record(StreamName=STREAM, Data=b"no record", PartitionKey="k")
    target, until = StreamTarget("flights", STREAM, BUCKETS, "recorded_at"), datetime(2999, 1, 1, tzinfo=UTC)
    ShardIngest(target, SHARD, until, source=KinesisHook(), objects=ObjectStoreHook(), state=StateHook(STATE)).run()
    with platform_settings():
        with pytest.raises(AirflowSkipException, match="Dry run: would read 1 quarantine objects"):
            module.requeue_records.function("flights", STREAM, dag_run=dag_run(), params={"dry_run": True})
        (done,) = module.requeue_records.function("flights", STREAM, dag_run=dag_run(), params={"dry_run": False})
    assert (done["records"], done["quarantined"], done["code_sha"]) == (0, 1, "abc")
    assert len(cloud.keys(layout.quarantine_prefix("flights", STREAM))) == 2


def test_a_run_without_quarantine_is_skipped(module: ModuleType, cloud: MotoCloud) -> None:
    with platform_settings(), pytest.raises(AirflowSkipException, match="nothing to requeue"):
        module.requeue_records.function("flights", STREAM, dag_run=dag_run(), params={"dry_run": False})
