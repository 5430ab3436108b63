"""Kinesis' backend: moto's, with our streams. The iterator of a closed shard ends."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any, ClassVar

from moto.kinesis import models as moto_models
from moto.kinesis.exceptions import (
    InvalidArgumentError,
    RecordSizeExceedsLimit,
    ResourceInUseError,
    TooManyRecords,
    TotalRecordsSizeExceedsLimit,
)

from infra.localcloud.install import Context
from infra.localcloud.kinesis.shard import Shard, StoredRecord
from infra.localcloud.kinesis.stream import Stream

MAX_PUT_RECORDS = 500
MAX_PUT_BYTES = 5 * 1024 * 1024
MAX_RECORD_BYTES = 1024 * 1024


@dataclass(frozen=True)
class ReadResult:
    """An answer to GetRecords.

    Attributes:
        records: The records, oldest first.
        next_iterator: The iterator of the next call; None at the end of a closed shard.
        millis_behind: By how many milliseconds the last record is behind the shard's newest.
        children: The children of a closed shard, at its end.
    """

    records: list[StoredRecord]
    next_iterator: str | None
    millis_behind: int = 0
    children: tuple[dict[str, Any], ...] = ()


def _token(*values: str | int | dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


def _values(token: str, what: str) -> list[Any]:
    try:
        return list(json.loads(base64.urlsafe_b64decode(token)))
    except (ValueError, TypeError):
        raise InvalidArgumentError(f"Invalid {what}.") from None


class KinesisBackend(moto_models.KinesisBackend):
    """Records never move. A shard that was split or merged takes no more records, and its readers reach an end."""

    context: ClassVar[Context]
    RUNTIME: ClassVar[dict[str, Any]] = {"_iterator_ages": None}

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self._iterator_ages: dict[str, int] = {}

    def create_stream(
        self,
        stream_name: str,
        shard_count: int,
        stream_mode: dict[str, str] | None = None,
        retention_period_hours: int | None = None,
    ) -> Stream:
        """Creates a stream.

        Raises:
            ResourceInUseError: There is a stream of this name.
        """
        if stream_name in self.streams:
            raise ResourceInUseError(f"Stream {stream_name} under account {self.account_id} already exists.")
        stream = Stream(
            stream_name, shard_count or 1, stream_mode, retention_period_hours, self.account_id, self.region_name
        )
        self.streams[stream_name] = stream
        return stream

    def _stream(self, stream_arn: str | None, stream_name: str | None) -> Stream:
        stream = self.describe_stream(stream_arn=stream_arn, stream_name=stream_name)
        assert isinstance(stream, Stream)
        return stream

    def get_shard_iterator(  # type: ignore[override]  # moto declares int and datetime, and passes JSON's text and seconds
        self,
        stream_arn: str | None,
        stream_name: str | None,
        shard_id: str,
        shard_iterator_type: str,
        starting_sequence_number: str | None,
        at_timestamp: float | None,
    ) -> str:
        """Makes an iterator: a token with the position in the shard's list of records.

        Raises:
            InvalidArgumentError: The sequence number is not of this shard, or the type is unknown or lacks its value.
        """
        stream = self._stream(stream_arn, stream_name)
        shard = stream.get_shard(shard_id)
        if shard_iterator_type == "TRIM_HORIZON":
            position = 0
        elif shard_iterator_type == "LATEST":
            position = shard.end()
        elif shard_iterator_type == "AT_TIMESTAMP" and at_timestamp is not None:
            position = shard.at_time(float(at_timestamp))
        elif shard_iterator_type in ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"):
            given = starting_sequence_number or ""
            sequence = int(given) if given.isdigit() else -1
            if not shard.knows(sequence):
                raise InvalidArgumentError(
                    f"StartingSequenceNumber {starting_sequence_number} used in GetShardIterator on shard {shard_id}"
                    f" in stream {stream.stream_name} under account {self.account_id} is invalid because it did not"
                    " come from this shard."
                )
            position = shard.after(sequence - 1 if shard_iterator_type == "AT_SEQUENCE_NUMBER" else sequence)
        else:
            raise InvalidArgumentError(
                f"Invalid ShardIteratorType, or the value that it needs is missing: {shard_iterator_type}"
            )
        return _token(stream.stream_name, shard_id, position)

    def take_iterator_ages(self) -> dict[str, int]:
        """By how many milliseconds readers were behind at most since the last call, by stream."""
        taken, self._iterator_ages = self._iterator_ages, {}
        return taken

    def read_records(self, shard_iterator: str, limit: int | None) -> ReadResult:
        """Reads records from an iterator's position.

        Raises:
            InvalidArgumentError: The text is no iterator.
        """
        stream_name, shard_id, position = _values(shard_iterator, "ShardIterator")
        stream = self._stream(None, stream_name)
        shard = stream.get_shard(shard_id)
        # The state is read before the records, so that no record of a shard that closes meanwhile is missed.
        ended = not shard.is_open
        records, behind = shard.read(position, limit)
        self._iterator_ages[stream_name] = max(behind, self._iterator_ages.get(stream_name, 0))
        position += len(records)
        if ended and position == shard.end():
            return ReadResult(records, None, children=tuple(stream.children(shard)))
        return ReadResult(records, _token(stream_name, shard_id, position), behind)

    def put_records(
        self, stream_arn: str | None, stream_name: str | None, records: list[dict[str, Any]]
    ) -> dict[str, Any]:
        """Appends each record to its shard.

        Raises:
            TooManyRecords: More than 500 records.
            RecordSizeExceedsLimit: A record is larger than 1 MiB.
            TotalRecordsSizeExceedsLimit: All records together are larger than 5 MiB.
        """
        stream = self._stream(stream_arn, stream_name)
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

    def list_shards_page(
        self,
        stream_arn: str | None,
        stream_name: str | None,
        *,
        after: str | None,
        shard_filter: dict[str, Any],
        limit: int,
        next_token: str | None,
    ) -> tuple[list[Shard], str | None]:
        """Reads a page of ListShards, parents before their children.

        Args:
            stream_arn: The stream's ARN, or None if its name is given.
            stream_name: The stream's name, or None if its ARN is given.
            after: The shard id after which the listing starts.
            shard_filter: ShardFilter of the request; may be empty.
            limit: The size of a page.
            next_token: The token of the page before.

        Returns:
            The shards, and the token of the next page or None.

        Raises:
            InvalidArgumentError: The token or the filter is not valid.
        """
        if next_token:
            stream_name, after, shard_filter = _values(next_token, "NextToken")
            stream_arn = None
        stream = self._stream(stream_arn, stream_name)
        shards = [
            shard
            for shard in stream.shards.values()
            if _passes(shard, shard_filter) and (not after or shard.shard_id > after)
        ]
        page = shards[:limit]
        token = _token(stream.stream_name, page[-1].shard_id, shard_filter) if len(shards) > limit else None
        return page, token


def _passes(shard: Shard, shard_filter: dict[str, Any]) -> bool:
    """Whether the shard passes ShardFilter of ListShards."""
    kind = shard_filter.get("Type")
    moment = float(shard_filter.get("Timestamp") or 0)
    if kind is None or kind in ("AT_TRIM_HORIZON", "FROM_TRIM_HORIZON"):
        # Nothing is trimmed here, so the horizon is the stream's beginning: shards that were open then have no parent.
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
