"""A batch of consecutive records of one shard, which becomes one raw object."""

from __future__ import annotations

import base64

from include.lake.instants import format_instant
from include.pipelines.ingest.decode import UndecodableError, decode
from include.pipelines.ingest.lines import GzipLines, json_line
from include.pipelines.protocols import StreamRecord


class Batch:
    """Consecutive records of one shard: events become raw lines, all others become quarantine lines."""

    def __init__(self, shard_id: str, first: StreamRecord) -> None:
        self.shard_id = shard_id
        self.first = first
        self.last = first
        self.size = 0
        self.raw = GzipLines()
        self.quarantine = GzipLines()
        self.days: set[str] = set()
        self.min_recorded_at = ""
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
        self.raw.add(f'{_head(self.shard_id, record)},"event":{event.text}}}')
        self.days.add(event.day)
        self.min_recorded_at = min(self.min_recorded_at or event.recorded_at, event.recorded_at)
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
