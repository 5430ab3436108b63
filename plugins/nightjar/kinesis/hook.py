"""Reading one shard of a Kinesis stream in order, from a position up to an instant."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from botocore.exceptions import ClientError

READ_INTERVAL = 0.2  # seconds; Kinesis allows 5 reads a second and shard, shared by all its readers
FIRST_BACKOFF = 0.5  # seconds, doubled at each throttled read
LONGEST_BACKOFF = 8.0
THROTTLED = {"ProvisionedThroughputExceededException", "LimitExceededException", "KMSThrottlingException"}


@dataclass(frozen=True, slots=True)
class Record:
    """One Kinesis record: its position, its approximate arrival (UTC) and its bytes."""

    sequence_number: str
    arrived_at: datetime
    data: bytes


class KinesisReadHook(AwsBaseHook):
    """What reading a stream takes: its shards, and records in order."""

    def __init__(self, *, aws_conn_id: str | None = None, **kwargs: Any) -> None:
        super().__init__(aws_conn_id=aws_conn_id, client_type="kinesis", **kwargs)

    def shards(self, stream: str) -> list[dict[str, Any]]:
        """All shards that still hold records: ``[{"shard_id", "parents"}]``; parents that have expired are left out."""
        found = []
        request: dict[str, Any] = {"StreamName": stream}
        while True:
            page = self.conn.list_shards(**request)
            found.extend(page["Shards"])
            if not page.get("NextToken"):
                break
            request = {"NextToken": page["NextToken"]}
        known = {shard["ShardId"] for shard in found}
        named = [(shard, (shard.get("ParentShardId"), shard.get("AdjacentParentShardId"))) for shard in found]
        return [
            {"shard_id": shard["ShardId"], "parents": [p for p in parents if p in known]} for shard, parents in named
        ]


class ShardReader:
    """Iterates over the records of one shard after a position, and stops before the first that arrived at ``until`` or later.

    Arrival times are not strictly ascending: what follows the first late record is left to the next run, whatever its time.
    When the iteration is over, ``ended`` says that the shard is closed and read whole, and ``stopped_at`` is the record it
    stopped before (None: it read to the tip).
    """

    def __init__(
        self,
        hook: KinesisReadHook,
        stream: str,
        shard_id: str,
        until: datetime,
        limit: int = 5_000,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.hook = hook
        self.stream = stream
        self.shard_id = shard_id
        self.until = until
        self.limit = limit
        self.sleep = sleep
        self.monotonic = monotonic
        self.ended = False
        self.stopped_at: Record | None = None
        self._next_read = 0.0

    def records(self, after: str | None) -> Iterator[Record]:
        """Records after sequence number ``after`` (None: from the oldest that is kept)."""
        self.ended, self.stopped_at = False, None
        iterator = self._iterator(after)
        while iterator:
            try:
                answer = self._read(iterator)
            except self.hook.conn.exceptions.ExpiredIteratorException:
                iterator = self._iterator(after)
                continue
            for raw in answer["Records"]:
                record = Record(raw["SequenceNumber"], raw["ApproximateArrivalTimestamp"].astimezone(UTC), raw["Data"])
                if record.arrived_at >= self.until:
                    self.stopped_at = record
                    return
                after = record.sequence_number
                yield record
            iterator = answer.get("NextShardIterator")
            if iterator and not answer["Records"] and not answer.get("MillisBehindLatest"):
                return
        self.ended = True

    def _iterator(self, after: str | None) -> str:
        position = {"ShardIteratorType": "TRIM_HORIZON"}
        if after:
            position = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": after}
        return self.hook.conn.get_shard_iterator(StreamName=self.stream, ShardId=self.shard_id, **position)[
            "ShardIterator"
        ]

    def _read(self, iterator: str) -> dict[str, Any]:
        backoff = FIRST_BACKOFF
        while True:
            self.sleep(max(0.0, self._next_read - self.monotonic()))
            self._next_read = self.monotonic() + READ_INTERVAL
            try:
                return self.hook.conn.get_records(ShardIterator=iterator, Limit=self.limit)
            except ClientError as error:
                if error.response["Error"]["Code"] not in THROTTLED:
                    raise
            self.sleep(backoff)
            backoff = min(2 * backoff, LONGEST_BACKOFF)
