"""More ways in, on the running stack: dropped files, feedback at the service, the prediction log as a table."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from include.lake import layout, resources
from include.model import bundle
from include.workloads.files import FILES_SOURCE
from infra.localcloud import request_file
from tests.support.loop import WORKLOAD, Loop, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]
HEADER = "key,event_time,recorded_at,arr_delay"


def raw_events(loop: Loop, source: str) -> list[Any]:
    """The events in raw of one source."""
    keys = loop.keys("raw", layout.raw_prefix(WORKLOAD, source))
    return [json.loads(line)["event"] for key in keys for line in gzip.decompress(loop.read("raw", key)).splitlines()]


def allowed_actions(loop: Loop) -> set[str]:
    """The IAM actions of all requests so far that were allowed."""
    requests = request_file.read(loop.config.state / "cloud")
    return {asked["action"] for one in requests if one.get("decision") == "allow" for asked in one.get("iam", ())}


def drop(loop: Loop, name: str, content: str) -> None:
    key = layout.drops_prefix(WORKLOAD) + name
    loop.aws.s3.put_object(Bucket=loop.bucket("lake"), Key=key, Body=content.encode())


def test_a_dropped_file_gets_into_raw_by_itself_and_a_wrong_one_into_quarantine(loop: Loop) -> None:
    """Nobody starts a run: S3's event, the rule, the queue and the asset's watcher do."""
    _, second = loop.days
    row = f"dropped,{second}T18:00:00Z,{second}T19:00:00Z,17"
    drop(loop, "landed/good.csv", f"{HEADER}\n{row}\n")
    drop(loop, "landed/cut.csv", f"{HEADER}\n{row}")
    events = until(lambda: raw_events(loop, FILES_SOURCE), "the file is in raw")
    assert [(event["key"], event["payload"]) for event in events] == [("dropped", {"arr_delay": 17})]
    assert loop.keys("lake", layout.marker_prefix(WORKLOAD, FILES_SOURCE, second))
    refused = f"{layout.quarantine_prefix(WORKLOAD, FILES_SOURCE)}refused/"
    (key,) = until(lambda: loop.keys("lake", refused), "the cut file is in quarantine")
    refusal = json.loads(loop.read("lake", key))
    assert refusal["file"] == "drops/flights/landed/cut.csv" and "cut off" in refusal["reason"]


def test_a_message_that_cannot_be_worked_on_returns_to_the_queue(loop: Loop) -> None:
    sqs = loop.aws.sqs
    url = sqs.get_queue_url(QueueName=resources.drops_queue(WORKLOAD))["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="rubbish")

    # The next try finds an empty queue, and is skipped.
    until(lambda: "sqs:ChangeMessageVisibility" in allowed_actions(loop), "the task puts it back")
    sqs.purge_queue(QueueUrl=url)


def test_feedback_is_a_label_event_on_the_stream(loop: Loop) -> None:
    _, second = loop.days
    row = json.loads(loop.live_files()[bundle.GOLDEN].splitlines()[0])
    predicted = loop.service("/predict", row["request"])
    request_id = predicted.headers["x-request-id"]
    outcome = {"request_id": request_id, "time": f"{second}T12:00:00Z", "outcome": {"arr_delay": 31}}
    answer = loop.service("/feedback", outcome)
    assert (answer.status_code, answer.json()["key"]) == (202, request_id)
    assert loop.service("/feedback", {**outcome, "outcome": {"arr_delay": "late"}}).status_code == 422
    loop.ingest(second)
    (event,) = [event for event in raw_events(loop, loop.workload.stream.name) if event.get("request_id")]
    assert (event["event_type"], event["key"], event["payload"]) == ("landed", request_id, {"arr_delay": 31})

    today = f"{datetime.now(UTC):%Y/%m/%d}"
    sql = f"select distinct prediction from flights_predictions where day >= '{today}' and request_id = '{request_id}'"
    prediction = str(predicted.json()["prediction"])
    assert until(lambda: loop.query(sql), "the prediction is in the table") == [[prediction]]
