"""A batch of consecutive records of one shard, which becomes one raw object."""

from __future__ import annotations

import base64
from datetime import datetime

from include.lake.instants import format_instant, parse_instant
from include.lake.known import KnownFrom, earliest
from include.pipelines.ingest.decode import UndecodableError, decode
from include.pipelines.ingest.lines import GzipLines, json_line
from include.pipelines.protocols import StreamRecord


class Batch:
    """Consecutive records of one shard: events become raw lines, all others become quarantine lines.

    Args:
        shard_id: The shard.
        first: The first record, which gives the object its name.
        watermark: The stream's watermark while the records are read. It is kept with each record, because a record
            cannot become known at an instant up to which the stream was complete without it.
    """

    def __init__(self, shard_id: str, first: StreamRecord, watermark: datetime | None = None) -> None:
        self.shard_id = shard_id
        self.watermark = watermark
        self._watermark_json = json_line(None if watermark is None else format_instant(watermark))
        self.first = first
        self.last = first
        self.size = 0
        self.raw = GzipLines()
        self.quarantine = GzipLines()
        self.days: dict[str, KnownFrom] = {}
        self.max_recorded_at = ""

    @property
    def bytes(self) -> int:
        """Uncompressed bytes of all lines."""
        return self.raw.bytes + self.quarantine.bytes

    def add(self, record: StreamRecord) -> None:
        """Adds the next record of the shard."""
        self.last = record
        self.size += 1
        try:
            event = decode(record.data)
        except UndecodableError as error:
            self.quarantine.add(quarantine_line(self.shard_id, record, error))
            return
        self.raw.add(f'{_head(self.shard_id, record)},"watermark":{self._watermark_json},"event":{event.text}}}')
        known_from = KnownFrom.of(parse_instant(event.recorded_at), record.arrived_at, self.watermark)
        self.days[event.day] = earliest(self.days.get(event.day, known_from), known_from)
        self.max_recorded_at = max(self.max_recorded_at, event.recorded_at)


def quarantine_line(shard_id: str, record: StreamRecord, error: UndecodableError) -> str:
    """Formats the line of a record that is not an event."""
    data = base64.b64encode(record.data).decode()
    return f'{_head(shard_id, record)},"reason":{json_line(str(error))},"data_base64":"{data}"}}'


def _head(shard_id: str, record: StreamRecord) -> str:
    """The fields that raw and quarantine lines begin with, without the closing brace."""
    fields = {
        "shard_id": shard_id,
        "sequence_number": record.sequence_number,
        "arrived_at": format_instant(record.arrived_at),
    }
    return json_line(fields)[:-1]
