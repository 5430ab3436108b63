"""A batch of consecutive records of one shard, which becomes one raw object."""

from __future__ import annotations

from datetime import datetime

from include.lake.known import Clock, KnownFrom, earliest
from include.pipelines.ingest.entries import entries, trusted_recorded_at
from include.pipelines.ingest.lines import GzipLines
from include.pipelines.protocols import StreamRecord


class Batch:
    """Consecutive records of one shard: events become raw lines, all others become quarantine lines.

    Args:
        shard_id: The shard.
        first: The first record, which gives the object its name.
        clock: The workload's clock.
        watermark: The stream's watermark while the records are read. It is kept with each record, because a record
            cannot become known at an instant up to which the stream was complete without it.

    Attributes:
        size: Number of stream records; an aggregate is one.
        days: From when on the events of each UTC day count as known.
        max_recorded_at: The latest ``recorded_at`` that is not after its record's arrival.
    """

    def __init__(self, shard_id: str, first: StreamRecord, clock: Clock, watermark: datetime | None = None) -> None:
        self.shard_id = shard_id
        self.watermark = watermark
        self.first = first
        self.last = first
        self.clock = clock
        self.size = 0
        self.raw = GzipLines()
        self.quarantine = GzipLines()
        self.days: dict[str, KnownFrom] = {}
        self.max_recorded_at: datetime | None = None

    @property
    def bytes(self) -> int:
        """Uncompressed bytes of all lines."""
        return self.raw.bytes + self.quarantine.bytes

    def add(self, record: StreamRecord) -> None:
        """Adds the next record of the shard."""
        self.last = record
        self.size += 1
        for entry in entries(record, self.clock):
            if entry.event is None:
                self.quarantine.add(entry.quarantine_line(self.shard_id))
                continue
            day, recorded_at = entry.event.day, entry.event.recorded_at
            self.raw.add(entry.raw_line(self.shard_id, self.watermark))
            known_from = KnownFrom.of(recorded_at, record.arrived_at, self.watermark)
            self.days[day] = earliest(self.days.get(day, known_from), known_from)
            self.max_recorded_at = latest(self.max_recorded_at, trusted_recorded_at(recorded_at, record.arrived_at))


def latest(one: datetime | None, other: datetime | None) -> datetime | None:
    """Returns the later instant; None is before all."""
    return max((instant for instant in (one, other) if instant), default=None)
