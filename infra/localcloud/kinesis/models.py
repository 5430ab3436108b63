"""Kinesis' backend: moto's, with our streams; iterators that end when their shard has."""

from __future__ import annotations

import base64
import json
from typing import Any, ClassVar

from moto.kinesis import models as moto_models
from moto.kinesis.exceptions import (
    InvalidArgumentError,
    RecordSizeExceedsLimit,
    ResourceInUseError,
    TooManyRecords,
    TotalRecordsSizeExceedsLimit,
)

from ..install import Context
from .shard import Record, Shard
from .stream import Stream

MAX_PUT_RECORDS = 500
MAX_PUT_BYTES = 5 * 1024 * 1024
MAX_RECORD_BYTES = 1024 * 1024


def _token(*values: str | int) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


def _values(token: str, what: str) -> list[Any]:
    try:
        return list(json.loads(base64.urlsafe_b64decode(token)))
    except (ValueError, TypeError):
        raise InvalidArgumentError(f"Invalid {what}.") from None


class KinesisBackend(moto_models.KinesisBackend):
    """Records never move; a shard that was split or merged takes no more of them and its readers get no next iterator."""

    context: ClassVar[Context]

    def create_stream(
        self,
        stream_name: str,
        shard_count: int,
        stream_mode: dict[str, str] | None = None,
        retention_period_hours: int | None = None,
    ) -> Stream:
        """Raises ResourceInUseException."""
        if stream_name in self.streams:
            raise ResourceInUseError(f"Stream {stream_name} under account {self.account_id} already exists.")
        stream = Stream(
            stream_name, shard_count or 1, stream_mode, retention_period_hours, self.account_id, self.region_name
        )
        self.streams[stream_name] = stream
        return stream

    def get_shard_iterator(
        self,
        stream_arn: str | None,
        stream_name: str | None,
        shard_id: str,
        shard_iterator_type: str,
        starting_sequence_number: str | None,
        at_timestamp: float | None,
    ) -> str:
        """An iterator holds the position in the shard's list of records."""
        stream = self.describe_stream(stream_arn=stream_arn, stream_name=stream_name)
        shard: Shard = stream.get_shard(shard_id)
        if shard_iterator_type == "TRIM_HORIZON":
            position = 0
        elif shard_iterator_type == "LATEST":
            position = shard.end()
        elif shard_iterator_type == "AT_TIMESTAMP" and at_timestamp is not None:
            position = shard.at_time(float(at_timestamp))
        elif shard_iterator_type in ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"):
            sequence = int(starting_sequence_number) if (starting_sequence_number or "").isdigit() else -1
            if not shard.knows(sequence):
                raise InvalidArgumentError(
                    f"StartingSequenceNumber {starting_sequence_number} used in GetShardIterator on shard {shard_id} in stream"
                    f" {stream.stream_name} under account {self.account_id} is invalid because it did not come from this shard."
                )
            position = shard.after(sequence - 1 if shard_iterator_type == "AT_SEQUENCE_NUMBER" else sequence)
        else:
            raise InvalidArgumentError(f"Invalid ShardIteratorType, or what it needs is missing: {shard_iterator_type}")
        return _token(stream.stream_name, shard_id, position)

    def read(
        self, shard_iterator: str, limit: int | None
    ) -> tuple[str | None, list[Record], int, list[dict[str, Any]]]:
        """Next iterator (None at the end of a closed shard), records, ms behind, children (at the end of a closed shard)."""
        stream_name, shard_id, position = _values(shard_iterator, "ShardIterator")
        stream: Stream = self.describe_stream(stream_arn=None, stream_name=stream_name)
        shard = stream.get_shard(shard_id)
        # Closed is read first: a record put before the closing cannot then be missed.
        ended = not shard.is_open
        records, behind = shard.read(position, limit)
        position += len(records)
        if ended and position == shard.end():
            return None, records, 0, stream.children(shard)
        return _token(stream_name, shard_id, position), records, behind, []

    def put_records(
        self, stream_arn: str | None, stream_name: str | None, records: list[dict[str, Any]]
    ) -> dict[str, Any]:
        """Puts each into its shard; raises as AWS does beyond its limits of number and size."""
        stream = self.describe_stream(stream_arn=stream_arn, stream_name=stream_name)
        if len(records) > MAX_PUT_RECORDS:
            raise TooManyRecords
        sizes = [len(record["Data"]) * 3 // 4 + len(record["PartitionKey"]) for record in records]
        if max(sizes, default=0) > MAX_RECORD_BYTES + 256:
            raise RecordSizeExceedsLimit(position=sizes.index(max(sizes)) + 1)
        if sum(sizes) > MAX_PUT_BYTES:
            raise TotalRecordsSizeExceedsLimit
        put = [
            stream.put_record(record["PartitionKey"], record.get("ExplicitHashKey"), record["Data"])
            for record in records
        ]
        self._send_stream_metrics(stream.stream_name, incoming_bytes=sum(sizes), incoming_records=len(records))
        return {
            "FailedRecordCount": 0,
            "Records": [{"SequenceNumber": number, "ShardId": shard} for number, shard in put],
        }

    def shards_page(
        self,
        stream_arn: str | None,
        stream_name: str | None,
        *,
        after: str | None,
        shard_filter: dict[str, Any],
        limit: int,
        next_token: str | None,
    ) -> tuple[list[Shard], str | None]:
        """A page of ListShards, parents before children, and the next token."""
        if next_token:
            stream_name, after, shard_filter = _values(next_token, "NextToken")
            stream_arn = None
        stream: Stream = self.describe_stream(stream_arn=stream_arn, stream_name=stream_name)
        shards = [
            shard
            for shard in stream.shards.values()
            if _passes(shard, shard_filter) and (not after or shard.shard_id > after)
        ]
        page = shards[:limit]
        token = _token(stream.stream_name, page[-1].shard_id, shard_filter) if len(shards) > limit else None
        return page, token


def _passes(shard: Shard, shard_filter: dict[str, Any]) -> bool:
    """ShardFilter of ListShards."""
    kind = shard_filter.get("Type")
    moment = float(shard_filter.get("Timestamp") or 0)
    if kind is None or kind in ("AT_TRIM_HORIZON", "FROM_TRIM_HORIZON"):
        # Nothing is trimmed here, so the horizon is the stream's beginning: the shards open at it have no parent.
        return kind != "AT_TRIM_HORIZON" or shard.parent is None
    if kind == "AT_LATEST":
        return shard.is_open
    if kind == "AFTER_SHARD_ID":
        return shard.shard_id > shard_filter.get("ShardId", "")
    if kind == "FROM_TIMESTAMP":
        return shard.closed is None or shard.closed >= moment
    if kind == "AT_TIMESTAMP":
        return shard.created <= moment and (shard.closed is None or shard.closed >= moment)
    raise InvalidArgumentError(f"Invalid ShardFilter type: {kind}")
