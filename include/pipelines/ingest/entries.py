"""What a stream record contains: one entry, or one for each user record of an aggregate."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from include.lake.instants import format_instant
from include.lake.known import Clock
from include.pipelines.ingest.aggregates import user_records
from include.pipelines.ingest.decode import DecodedEvent, UndecodableError, decode
from include.pipelines.ingest.lines import json_line
from include.pipelines.protocols import StreamRecord

# How far a producer's clock may be ahead of Kinesis' clock.
CLOCK_SKEW = timedelta(minutes=5)


class Entry(NamedTuple):
    """An event, or bytes that are none.

    Attributes:
        record: The stream record.
        data: The bytes of this entry.
        subsequence_number: Position in an aggregate, from 0; None if the record is not an aggregate.
        event: The event, or None.
        reason: Why it is not an event; empty if it is one.
    """

    record: StreamRecord
    data: bytes
    subsequence_number: int | None
    event: DecodedEvent | None
    reason: str

    def raw_line(self, shard_id: str, watermark: datetime | None) -> str:
        """Formats the raw line. The entry must have an event.

        Args:
            shard_id: The shard.
            watermark: The stream's watermark when the record is read: the event is not known earlier.
        """
        assert self.event is not None
        text = json_line(None if watermark is None else format_instant(watermark))
        return f'{self._head(shard_id)},"watermark":{text},"event":{self.event.text}}}'

    def quarantine_line(self, shard_id: str) -> str:
        """Formats the line of an entry that is not an event."""
        data = base64.b64encode(self.data).decode()
        return f'{self._head(shard_id)},"reason":{json_line(self.reason)},"data_base64":"{data}"}}'

    def _head(self, shard_id: str) -> str:
        """The fields that both lines begin with, without the closing brace."""
        shard, number = json_line(shard_id), json_line(self.record.sequence_number)
        arrived_at = format_instant(self.record.arrived_at)
        place = f'{{"shard_id":{shard},"sequence_number":{number},"arrived_at":"{arrived_at}"'
        return place if self.subsequence_number is None else f'{place},"subsequence_number":{self.subsequence_number}'


def entries(record: StreamRecord, clock: Clock) -> Iterator[Entry]:
    """Iterates over the entries of a record. The same record always gives the same entries.

    Args:
        record: The record.
        clock: The workload's clock. With ``recorded_at``, an event that claims to be recorded later than it arrived is
            not accepted: it would move the watermark into the future.
    """
    try:
        parts = user_records(record.data)
    except UndecodableError as error:
        yield Entry(record, record.data, None, None, str(error))
        return
    if parts is None:
        yield _entry(record, record.data, None, clock)
        return
    for number, data in enumerate(parts):
        yield _entry(record, data, number, clock)


def trusted_recorded_at(recorded_at: datetime, arrived_at: datetime) -> datetime | None:
    """Returns ``recorded_at``, but not later than the arrival; None if it is later by more than ``CLOCK_SKEW``."""
    return None if recorded_at > arrived_at + CLOCK_SKEW else min(recorded_at, arrived_at)


def _entry(record: StreamRecord, data: bytes, subsequence_number: int | None, clock: Clock) -> Entry:
    try:
        event = decode(data)
    except UndecodableError as error:
        return Entry(record, data, subsequence_number, None, str(error))
    if clock == "recorded_at" and trusted_recorded_at(event.recorded_at, record.arrived_at) is None:
        reason = (
            f"recorded_at: {format_instant(event.recorded_at)} is later than the arrival, "
            f"{format_instant(record.arrived_at)}: the producer's clock is wrong"
        )
        return Entry(record, data, subsequence_number, None, reason)
    return Entry(record, data, subsequence_number, event, "")
