"""A batch of consecutive records of one shard, which becomes one raw object."""

from __future__ import annotations

from datetime import datetime

from include.lake.known import Clock, KnownFrom, earliest
from include.pipelines.ingest.entries import entries, trusted_recorded_at
from include.pipelines.ingest.lines import GzipLines
from include.pipelines.protocols import StreamRecord


class Batch:
    """Consecutive records of one shard: events become raw lines, all others become quarantine lines.

    Attributes:
        size: Number of stream records; an aggregate is one.
        days: UTC day of the events → from when on any of them counts as known. Heartbeats are of no day.
        max_recorded_at: The latest ``recorded_at`` that moves the watermark, and is not after its record's arrival.
        max_arrived_at: The latest arrival.
        feedback: Number of events that came through the service's ``POST /feedback``.
    """

    def __init__(
        self,
        shard_id: str,
        first: StreamRecord,
        clock: Clock,
        watermark: datetime | None,
        heartbeat: str | None = None,
    ) -> None:
        self.shard_id = shard_id
        self.watermark = watermark
        self.first = first
        self.last = first
        self.clock = clock
        self.heartbeat = heartbeat
        self.size = 0
        self.feedback = 0
        self.raw = GzipLines()
        self.quarantine = GzipLines()
        self.days: dict[str, KnownFrom] = {}
        self.max_recorded_at: datetime | None = None
        self.max_arrived_at = first.arrived_at

    @property
    def bytes(self) -> int:
        """Uncompressed bytes of all lines."""
        return self.raw.bytes + self.quarantine.bytes

    def add(self, record: StreamRecord) -> None:
        """Adds the next record of the shard."""
        self.last = record
        self.size += 1
        self.max_arrived_at = max(self.max_arrived_at, record.arrived_at)
        for entry in entries(record, self.clock):
            if entry.event is None:
                self.quarantine.add(entry.quarantine_line(self.shard_id))
                continue
            recorded_at, day = entry.event.recorded_at, entry.event.day
            self.raw.add(entry.raw_line(self.shard_id, self.watermark))
            self.feedback += entry.event.is_feedback
            is_heartbeat = entry.event.event_type == self.heartbeat
            if not is_heartbeat:
                known_from = KnownFrom.of(recorded_at, record.arrived_at, self.watermark)
                self.days[day] = earliest(self.days.get(day, known_from), known_from)
            if is_heartbeat or self.heartbeat is None:
                self.max_recorded_at = latest(self.max_recorded_at, trusted_recorded_at(recorded_at, record.arrived_at))


def latest(one: datetime | None, other: datetime | None) -> datetime | None:
    """Returns the later instant; None is before all."""
    return max((instant for instant in (one, other) if instant), default=None)
