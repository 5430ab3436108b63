"""A Kinesis stream of one shard in the moto cloud, and events for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from tests.support.moto_cloud import MotoCloud

STREAM = "nightjar-test"
SHARD = "shardId-000000000000"
PutRecords = Callable[..., list[str]]


def event(number: int, **changes: Any) -> bytes:
    """The bytes of a numbered event; ten events per day, one per hour."""
    day = date(2013, 3, 1) + timedelta(days=number // 10)
    fields = {
        "event_type": "scheduled",
        "key": str(number),
        "event_time": f"{day}T10:00:00Z",
        "recorded_at": f"{day}T{number % 10:02d}:00:00Z",
        "payload": {"n": number},
    }
    return json.dumps({**fields, **changes}).encode()


class ChangedClient:
    """A Kinesis client; subclasses change some of its methods."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)


class ClosedShards(ChangedClient):
    """Every shard is closed: moto never ends the iterator of a closed shard, Kinesis does."""

    def get_records(self, **arguments: Any) -> Any:
        return {**self.client.get_records(**arguments), "NextShardIterator": None}


@pytest.fixture
def stream(cloud: MotoCloud) -> PutRecords:
    """Creates the stream; a function that puts records and returns their sequence numbers."""
    client = cloud.client("kinesis")
    client.create_stream(StreamName=STREAM, ShardCount=1)

    def put(*records: bytes) -> list[str]:
        return [client.put_record(StreamName=STREAM, Data=data, PartitionKey="k")["SequenceNumber"] for data in records]

    return put
