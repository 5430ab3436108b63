"""The DAG of dropped files: what starts it, and what a run does with a queue."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException
from nightjar.queues.trigger import QueueTrigger

from include.lake import layout, resources
from include.workloads import load as load_workload
from tests.support.dag_files import dag_run, load, platform_settings
from tests.support.moto_cloud import LAKE, MotoCloud

pytestmark = pytest.mark.stack
QUEUE = resources.drops_queue("flights")
GOOD = b"key,event_time,arr_delay\nUA1,2013-03-01T10:00:00Z,17\n"


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch, build_stamp: Path) -> ModuleType:
    found = load("ingest_files")
    monkeypatch.setattr(found, "BUILD_FILE", build_stamp)
    return found


@pytest.fixture
def sent(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lines of warnings that went to the alerts topic."""
    lines: list[str] = []
    monkeypatch.setattr(module, "publish_warnings", lambda topic, subject, found, run: lines.extend(found))
    return lines


@pytest.fixture
def queue(cloud: MotoCloud) -> str:
    cloud.client("s3").put_bucket_versioning(Bucket=LAKE, VersioningConfiguration={"Status": "Enabled"})
    return str(cloud.client("sqs").create_queue(QueueName=QUEUE)["QueueUrl"])


def drop(cloud: MotoCloud, queue: str, name: str, content: bytes) -> None:
    """Puts a file and its message, as EventBridge sends it."""
    key = layout.drops_prefix("flights") + name
    made = cloud.client("s3").put_object(Bucket=LAKE, Key=key, Body=content)
    found = {"time": "2013-03-01T20:00:00Z", "detail": {"object": {"key": key, "version-id": made["VersionId"]}}}
    cloud.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps(found))


def run(module: ModuleType) -> Any:
    with platform_settings():
        return module.files_to_s3.function("flights", dag_run=dag_run(), params={})


def waiting(cloud: MotoCloud, queue: str) -> tuple[int, int]:
    """How many messages are visible, and how many are hidden."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = cloud.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    return int(found[names[0]]), int(found[names[1]])


def test_the_queue_starts_it_and_it_runs_alone(module: ModuleType) -> None:
    with platform_settings():
        dag = module.ingest_files(load_workload("flights"))
    assert dag.dag_id == "flights_ingest_files" and dag.max_active_runs == 1
    (asset,) = dag.timetable.asset_condition.objects
    (watcher,) = asset.watchers
    assert asset.uri == "nightjar://flights/drops"
    assert isinstance(watcher.trigger, QueueTrigger) and watcher.trigger.queue == QUEUE
    (announced,) = dag.get_task("announce").outlets
    assert announced.uri == "nightjar://flights/raw-files"


def test_a_run_empties_the_queue_and_tells_what_was_refused(
    module: ModuleType, cloud: MotoCloud, queue: str, sent: list[str]
) -> None:
    drop(cloud, queue, "landed/a.csv", GOOD)
    drop(cloud, queue, "landed/cut.csv", GOOD[:-3])
    assert [one["status"] for one in run(module)] == ["ingested", "refused"]
    assert waiting(cloud, queue) == (0, 0)
    (line,) = cloud.lines("raw/flights/files/")
    assert line["event"]["payload"] == {"arr_delay": 17}
    assert cloud.keys(layout.marker_prefix("flights", "files", date(2013, 3, 1)))
    told, warning = sent
    assert told.startswith("1 files ingested with 1 events")
    assert warning.startswith("drops/flights/landed/cut.csv was refused: does not end with a line break")
    with pytest.raises(AirflowSkipException, match="No file was dropped"):
        run(module)


def test_a_message_that_is_no_event_fails_the_run_and_stays(
    module: ModuleType, cloud: MotoCloud, queue: str, sent: list[str]
) -> None:
    cloud.client("sqs").send_message(QueueUrl=queue, MessageBody="rubbish")
    drop(cloud, queue, "other", GOOD)
    with pytest.raises(ValueError, match="Expecting value"):
        run(module)
    assert waiting(cloud, queue) == (0, 1), "it stays, hidden until it is tried again"
    assert [line.split(" was")[0] for line in sent[1:]] == ["drops/flights/other"], "others are read, and told, before"


def test_the_asset_is_announced_only_if_a_file_got_into_raw(module: ModuleType) -> None:
    refused = {"file": "f", "status": "refused", "records": 0, "quarantined": 0, "reason": "r"}
    with pytest.raises(AirflowSkipException, match="nothing to announce"):
        module.announce.function([refused])
    module.announce.function([refused, {**refused, "status": "ingested"}])
