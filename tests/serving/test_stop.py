"""SIGTERM to a really started service: open requests are answered, and all telemetry leaves the process before it."""

from __future__ import annotations

import json
import signal
import socket
from typing import Any

import pytest

from include.model import bundle
from tests.support.bundles import text_files
from tests.support.moto_cloud import MotoCloud
from tests.support.ports import accepts_connections
from tests.support.request_cases import GOOD
from tests.support.service import StartService, eventually

pytestmark = pytest.mark.stack
ANSWERED = 40


def head(request_id: str) -> bytes:
    lines = ("POST /predict HTTP/1.1", "host: x", "content-type: application/json", f"x-request-id: {request_id}")
    return "\r\n".join([*lines, f"content-length: {len(GOOD)}", "", ""]).encode()


def sent_to(cloud: MotoCloud) -> list[str]:
    """The ids of the requests whose predictions arrived in the stream."""
    kinesis = cloud.client("kinesis")
    place: Any = {"StreamName": "predictions"}
    shard = kinesis.list_shards(**place)["Shards"][0]["ShardId"]
    start = kinesis.get_shard_iterator(**place, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    records = kinesis.get_records(ShardIterator=start["ShardIterator"], Limit=10_000)["Records"]
    return [json.loads(record["Data"])["request_id"] for record in records]


@pytest.mark.parametrize("count", [1, 2])
def test_sigterm_answers_open_requests_and_flushes_telemetry(start: StartService, cloud: MotoCloud, count: int):
    cloud.client("kinesis").create_stream(StreamName="predictions", ShardCount=1)
    service = start(
        bundle.pack(text_files()),
        WORKERS=str(count),
        SHUTDOWN_SECONDS="110",
        BODY_TIMEOUT_SECONDS="120",
        METRICS_NAMESPACE="Test",
        METRICS_INTERVAL_SECONDS="3600",  # no interval ends before the signal
        PREDICTION_LOG="kinesis://predictions",
        AWS_ENDPOINT_URL=cloud.endpoint,
        AWS_ACCESS_KEY_ID="AKIATEST",
        AWS_SECRET_ACCESS_KEY="test",
        AWS_DEFAULT_REGION="us-east-1",
    )
    service.until("/ready", 200)
    assert eventually(lambda: len(service.children()) == count)
    with socket.create_connection(("127.0.0.1", service.port), timeout=60) as connection:
        connection.sendall(head("open") + GOOD[:10].encode())
        for number in range(ANSWERED):
            answer = service.client.post(
                "/predict",
                content=GOOD,
                headers={"content-type": "application/json", "x-request-id": f"answered-{number}"},
            )
            assert answer.status_code == 200
        service.process.send_signal(signal.SIGTERM)
        assert eventually(lambda: not accepts_connections(service.port))
        connection.sendall(GOOD[10:].encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
    assert service.exit_code() == 0

    everyone = sorted(["open", *(f"answered-{number}" for number in range(ANSWERED))])
    lines = [json.loads(line) for line in service.text().splitlines()]
    predictions = [line for line in lines if line.get("path") == "/predict"]
    assert sorted(line["request_id"] for line in predictions) == everyone
    assert sum(line.get("Requests", 0) for line in lines if "_aws" in line) == len(everyone)
    assert sorted(sent_to(cloud)) == everyone
