"""A batch of consecutive records of one shard, which becomes one raw object."""

from __future__ import annotations

from datetime import datetime

from include.lake.known import Clock, KnownFrom, version_time
from include.pipelines.ingest.entries import entries, trusted_recorded_at
from include.pipelines.ingest.lines import GzipLines
from include.pipelines.protocols import StreamRecord


class Batch:
    """Consecutive records of one shard: events become raw lines, all others become quarantine lines.

    Attributes:
        size: Number of stream records; an aggregate is one.
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
        self._days: dict[str, tuple[datetime, datetime]] = {}  # the earliest version time and arrival of its events
        self.max_recorded_at: datetime | None = None
        self.max_arrived_at = first.arrived_at

    @property
    def bytes(self) -> int:
        """Uncompressed bytes of all lines."""
        return self.raw.bytes + self.quarantine.bytes

    @property
    def days(self) -> dict[str, KnownFrom]:
        """UTC day of the events → from when on any of them counts as known. Heartbeats are of no day."""
        return {day: KnownFrom.of(*times, self.watermark) for day, times in self._days.items()}

    def add(self, record: StreamRecord) -> None:
        """Adds the next record of the shard."""
        self.last = record
        self.size += 1
        arrived_at = record.arrived_at
        if arrived_at > self.max_arrived_at:
            self.max_arrived_at = arrived_at
        for entry in entries(record, self.clock):
            event = entry.event
            if event is None:
                self.quarantine.add(entry.quarantine_line(self.shard_id))
                continue
            self.raw.add(entry.raw_line(self.shard_id, self.watermark))
            self.feedback += event.is_feedback
            is_heartbeat = event.event_type == self.heartbeat
            if not is_heartbeat:
                self._add_to_day(event.day, event.recorded_at, arrived_at)
            if is_heartbeat or self.heartbeat is None:
                self.max_recorded_at = latest(self.max_recorded_at, trusted_recorded_at(event.recorded_at, arrived_at))

    def _add_to_day(self, day: str, recorded_at: datetime, arrived_at: datetime) -> None:
        made = version_time("recorded_at", recorded_at, arrived_at)
        earliest_made, earliest_arrived = self._days.get(day, (made, arrived_at))
        if made <= earliest_made or arrived_at < earliest_arrived:
            self._days[day] = min(made, earliest_made), min(arrived_at, earliest_arrived)


def latest(one: datetime | None, other: datetime | None) -> datetime | None:
    """Returns the later instant; None is before all."""
    if one is None or other is None:
        return one or other
    return max(one, other)
