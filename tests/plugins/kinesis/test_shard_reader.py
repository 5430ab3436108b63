"""Reading a shard: throttling, expired iterators, closed shards, resharded streams."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from nightjar.kinesis.hook import KinesisHook
from nightjar.kinesis.shard_reader import ShardReader

from tests.support.kinesis_stream import SHARD, STREAM, ChangedClient, ClosedShards, PutRecords, event
from tests.support.moto_cloud import MotoCloud

pytestmark = pytest.mark.stack
FOREVER = datetime(2999, 1, 1, tzinfo=UTC)


class Throttled(ChangedClient):
    """The first two reads are refused."""

    def get_records(self, **arguments: Any) -> Any:
        self.calls += 1
        if self.calls <= 2:
            raise ClientError(
                {"Error": {"Code": "ProvisionedThroughputExceededException", "Message": ""}}, "GetRecords"
            )
        return self.client.get_records(**arguments)


class Expiring(ChangedClient):
    """The second read meets an expired iterator; each read returns one record."""

    def get_records(self, **arguments: Any) -> Any:
        self.calls += 1
        if self.calls == 2:
            raise self.client.exceptions.ExpiredIteratorException({"Error": {"Code": "x", "Message": ""}}, "GetRecords")
        return self.client.get_records(**{**arguments, "Limit": 1})


def read(client: Any, **options: Any) -> list[str]:
    reader = ShardReader(client, STREAM, SHARD, FOREVER, **options)
    return [record.sequence_number for record in reader.records(None)]


def test_a_throttled_read_backs_off_and_goes_on(cloud: MotoCloud, stream: PutRecords) -> None:
    put, slept = stream(event(1)), list[float]()
    assert read(Throttled(cloud.client("kinesis")), sleep=slept.append) == put
    assert [pause for pause in slept if pause >= 0.5] == [0.5, 1.0]


def test_an_expired_iterator_is_replaced_and_no_record_is_read_twice(cloud: MotoCloud, stream: PutRecords) -> None:
    put = stream(event(1), event(2), event(3))
    assert read(Expiring(cloud.client("kinesis")), sleep=lambda _: None) == put


def test_only_the_end_of_a_closed_shard_ends_it(cloud: MotoCloud, stream: PutRecords) -> None:
    put, client = stream(event(1)), cloud.client("kinesis")
    closed_client: Any = ClosedShards(client)
    open_shard, closed = (ShardReader(c, STREAM, SHARD, FOREVER) for c in (client, closed_client))
    for reader in (open_shard, closed):
        assert [record.sequence_number for record in reader.records(None)] == put
        assert reader.stopped_at is None
    assert (open_shard.ended, closed.ended) == (False, True)


def test_the_first_late_record_stops_the_reader(cloud: MotoCloud, stream: PutRecords) -> None:
    (late,) = stream(event(1))
    reader = ShardReader(cloud.client("kinesis"), STREAM, SHARD, datetime(2013, 1, 1, tzinfo=UTC))
    assert list(reader.records(None)) == []
    assert reader.stopped_at is not None
    assert (reader.stopped_at.sequence_number, reader.stopped_at.data) == (late, event(1))
    assert reader.ended is False


def test_another_error_is_raised(cloud: MotoCloud) -> None:
    with pytest.raises(ClientError, match="ResourceNotFound"):
        read(cloud.client("kinesis"))


def test_parents_that_have_expired_are_left_out(cloud: MotoCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = {
        None: {"Shards": [{"ShardId": "a", "ParentShardId": "expired"}, {"ShardId": "b"}], "NextToken": "2"},
        "2": {"Shards": [{"ShardId": "c", "ParentShardId": "a", "AdjacentParentShardId": "b"}]},
    }
    hook = KinesisHook()

    def list_shards(StreamName: str | None = None, NextToken: str | None = None) -> Any:  # noqa: N803 - boto3's names
        return pages[NextToken]

    monkeypatch.setattr(hook.conn, "list_shards", list_shards)
    assert hook.shards(STREAM) == [
        {"shard_id": "a", "parents": []},
        {"shard_id": "b", "parents": []},
        {"shard_id": "c", "parents": ["a", "b"]},
    ]
