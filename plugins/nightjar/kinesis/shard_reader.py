"""Reads one shard of a Kinesis stream in order, from a position up to an instant."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kinesis.type_defs import GetRecordsOutputTypeDef

READ_INTERVAL = 0.2  # seconds; Kinesis allows 5 reads per second and shard, shared by all its readers
FIRST_BACKOFF = 0.5  # seconds, doubled after each throttled read
LONGEST_BACKOFF = 8.0
THROTTLED = {"ProvisionedThroughputExceededException", "LimitExceededException", "KMSThrottlingException"}


class KinesisRecord(NamedTuple):
    """One Kinesis record: its position, its approximate arrival (UTC) and its bytes."""

    sequence_number: str
    arrived_at: datetime
    data: bytes


class ShardReader:
    """Iterates over the records of one shard after a position.

    It stops before the first record that arrived at ``until`` or later. Arrival times are not strictly ascending, but
    the records after that one are left out whatever their time, so that one number is the position.

    Attributes:
        ended: The shard is closed, and the last iteration read it to its end.
        stopped_at: The record that the last iteration stopped before; None if it read to the tip of the shard.
    """

    def __init__(
        self,
        client: KinesisClient,
        stream: str,
        shard_id: str,
        until: datetime,
        limit: int = 5_000,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.client = client
        self.stream = stream
        self.shard_id = shard_id
        self.until = until
        self.limit = limit
        self.sleep = sleep
        self.monotonic = monotonic
        self.ended = False
        self.stopped_at: KinesisRecord | None = None
        self._next_read = 0.0

    def records(self, after: str | None) -> Iterator[KinesisRecord]:
        """Iterates over the records after sequence number ``after`` (None: from the oldest record that is kept)."""
        self.ended, self.stopped_at = False, None
        iterator: str | None = self._iterator(after)
        while iterator:
            try:
                answer = self._read(iterator)
            except self.client.exceptions.ExpiredIteratorException:
                iterator = self._iterator(after)
                continue
            for found in answer["Records"]:
                arrived_at = found["ApproximateArrivalTimestamp"].astimezone(UTC)
                record = KinesisRecord(found["SequenceNumber"], arrived_at, found["Data"])
                if arrived_at >= self.until:
                    self.stopped_at = record
                    return
                after = record.sequence_number
                yield record
            iterator = answer.get("NextShardIterator")
            if iterator and not answer["Records"] and not answer.get("MillisBehindLatest"):
                return
        self.ended = True

    def _iterator(self, after: str | None) -> str:
        if after:
            answer = self.client.get_shard_iterator(
                StreamName=self.stream,
                ShardId=self.shard_id,
                ShardIteratorType="AFTER_SEQUENCE_NUMBER",
                StartingSequenceNumber=after,
            )
        else:
            answer = self.client.get_shard_iterator(
                StreamName=self.stream, ShardId=self.shard_id, ShardIteratorType="TRIM_HORIZON"
            )
        return answer["ShardIterator"]

    def _read(self, iterator: str) -> GetRecordsOutputTypeDef:
        backoff = FIRST_BACKOFF
        while True:
            self.sleep(max(0.0, self._next_read - self.monotonic()))
            self._next_read = self.monotonic() + READ_INTERVAL
            try:
                return self.client.get_records(ShardIterator=iterator, Limit=self.limit)
            except ClientError as error:
                if error.response["Error"]["Code"] not in THROTTLED:
                    raise
            self.sleep(backoff)
            backoff = min(2 * backoff, LONGEST_BACKOFF)
