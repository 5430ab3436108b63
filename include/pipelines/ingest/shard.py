"""The commit rule of raw: put the object (the commit), then quarantine, the marker of its days, and the checkpoint.

GetRecords batches are not repeatable: after a crash the same records come back in other batches. Therefore an object is
named after the first record behind the checkpoint, and is written only if that name is free. If the name is taken, a
run crashed between the put and the checkpoint: quarantine, markers and checkpoint are repaired from the stored object,
and reading continues after *its* last record. Only one run writes at a time (``max_active_runs=1``).
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import NamedTuple

from include.lake import layout, state_keys
from include.lake.instants import format_instant, parse_instant
from include.lake.known import Clock, KnownFrom
from include.lake.uris import s3_uri
from include.pipelines.ingest.batch import Batch, latest
from include.pipelines.ingest.entering import WATERMARK, has_entered, name_entering
from include.pipelines.ingest.entries import entries
from include.pipelines.ingest.lines import GzipLines
from include.pipelines.ingest.raw_object import put_markers, read_content
from include.pipelines.ingest.target import StreamTarget
from include.pipelines.ingest.types import Checkpoint, ShardSummary
from include.pipelines.protocols import ObjectStore, RecordSource, ShardRecords, StateStore, StreamRecord

log = logging.getLogger(__name__)

SEQUENCE_DIGITS = 64  # Kinesis sequence numbers have up to 56; padded, their texts compare as numbers
END_OF_TIME = datetime.max.replace(tzinfo=UTC)


class Committed(NamedTuple):
    """What a raw object that exists contains."""

    last_sequence: str
    days: dict[str, KnownFrom]
    max_recorded_at: datetime | None
    max_arrived_at: datetime | None
    quarantine: GzipLines


class ShardIngest:
    """Writes one shard's records that arrived before ``until`` to raw."""

    def __init__(
        self,
        target: StreamTarget,
        shard_id: str,
        until: datetime,
        *,
        source: RecordSource,
        objects: ObjectStore,
        state: StateStore,
    ) -> None:
        self.target = target
        self.shard_id = shard_id
        self.until = until
        self.source = source
        self.objects = objects
        self.state = state
        self.after: str | None = None
        self.max_recorded_at: datetime | None = None
        self.max_arrived_at: datetime | None = None
        self.summary: ShardSummary = {
            "shard_id": shard_id,
            "records": 0,
            "feedback": 0,
            "quarantined": 0,
            "objects": 0,
            "repaired": 0,
            "next_recorded_at": "",
            "closed": False,
        }

    def run(self) -> ShardSummary:
        """Reads to the first record that arrived at ``until`` or later, to the tip, or to the end of a closed shard."""
        item = self.state.get(*self._checkpoint_key()) or {}
        self.after = item.get("sequence_number")
        self.max_recorded_at = _stored_instant(item.get("max_recorded_at"), self.until)
        self.max_arrived_at = _stored_instant(item.get("max_arrived_at"), END_OF_TIME)
        if item.get("closed"):
            self.summary["closed"] = True
            return self.summary
        reader = self.source.reader(self.target.stream, self.shard_id, self.until)
        while not self._read(reader):
            pass
        if reader.ended:
            self._write_checkpoint(closed=True)
            self.summary["closed"] = True
        elif reader.stopped_at:
            self.summary["next_recorded_at"] = _recorded_at(reader.stopped_at, self.target.clock)
        return self.summary

    def _read(self, reader: ShardRecords) -> bool:
        """Passes over the shard once; False if a batch was not written, so reading must restart after the last one."""
        batch: Batch | None = None
        for record in reader.records(self.after):
            batch = batch or Batch(self.shard_id, record, self.target.clock, self._watermark(), self.target.heartbeat)
            batch.add(record)
            if batch.size >= self.target.max_records or batch.bytes >= self.target.max_bytes:
                if not self._commit(batch):
                    return False
                batch = None
        return batch is None or self._commit(batch)

    def _watermark(self) -> datetime | None:
        """The watermark at which a batch is read.

        That of the shard's own stream moves only after all shards of a run are read, so a retry of a run finds the same
        one. Another source's may move meanwhile: each batch asks for it, and is read again if it has moved before the
        batch has its markers (``include.pipelines.ingest.entering``).
        """
        source = self.target.watermark_of or self.target.stream
        complete = self.state.get(*state_keys.watermark_key(self.target.workload, source))
        return parse_instant(complete[WATERMARK]) if complete and WATERMARK in complete else None

    def _commit(self, batch: Batch) -> bool:
        """Whether this batch was written; if not, reading must restart.

        A crashed run had written other records under its name, or another source's watermark has moved meanwhile.
        """
        # The day of the first record's arrival, not of the run: a repair on the next day must find the same name.
        ingest_date, first = batch.first.arrived_at.date(), batch.first.sequence_number
        workload, stream, buckets = self.target.workload, self.target.stream, self.target.buckets
        # Another source's watermark may have moved since a run that crashed. What that run wrote without a marker has
        # never been read, and claims to be known too early: it is not repaired, but written again.
        read_at = batch.watermark if self.target.watermark_of else None
        key = layout.raw_stream_key(workload, stream, ingest_date, self.shard_id, first, read_at)
        written = self.objects.put_once(buckets.raw, key, batch.raw.finish(), _metadata(batch))
        content = (
            Committed(
                batch.last.sequence_number, batch.days, batch.max_recorded_at, batch.max_arrived_at, batch.quarantine
            )
            if written
            else self._stored(key)
        )
        if content.quarantine.lines:
            quarantine_key = layout.quarantine_stream_key(workload, stream, ingest_date, self.shard_id, first)
            self.objects.put(buckets.lake, quarantine_key, content.quarantine.finish())
        watermark = state_keys.watermark_key(workload, self.target.watermark_of)
        if self.target.watermark_of and not name_entering(watermark, key, stream, batch.watermark, self.state):
            log.info("The watermark has moved while %s was written: its records are read again", key)
            return False
        put_markers(workload, stream, key, content.days, buckets=buckets, objects=self.objects)
        if self.target.watermark_of:
            has_entered(watermark, key, self.state)
        self.after = content.last_sequence
        self.max_recorded_at = latest(self.max_recorded_at, content.max_recorded_at)
        self.max_arrived_at = latest(self.max_arrived_at, content.max_arrived_at)
        self._write_checkpoint(closed=False)
        self.summary["objects"] += written
        self.summary["repaired"] += not written
        self.summary["quarantined"] += content.quarantine.lines
        self.summary["records"] += batch.raw.lines if written else 0
        self.summary["feedback"] += batch.feedback if written else 0
        log.info(
            "%s: %s lines, %s quarantined, days %s",
            key,
            batch.raw.lines,
            content.quarantine.lines,
            sorted(content.days),
        )
        return written

    def _stored(self, key: str) -> Committed:
        """Content of a raw object that a crashed run wrote, with the quarantine lines of its range."""
        bucket = self.target.buckets.raw
        last = self.objects.metadata(bucket, key)["last-sequence"]
        log.warning("%s exists, up to %s: repairing quarantine, markers and checkpoint", s3_uri(bucket, key), last)
        found = read_content(key, self.target.heartbeat, buckets=self.target.buckets, objects=self.objects)
        quarantine, read = self._undecodable_up_to(last)
        return Committed(last, found.days, found.max_recorded_at, latest(found.max_arrived_at, read), quarantine)

    def _undecodable_up_to(self, last: str) -> tuple[GzipLines, datetime | None]:
        """Quarantine lines up to a record, and the latest arrival.

        The stream is read again, since the raw object contains only events.
        """
        lines, arrived = GzipLines(), None
        for record in self.source.reader(self.target.stream, self.shard_id, END_OF_TIME).records(self.after):
            if int(record.sequence_number) > int(last):
                break
            arrived = latest(arrived, record.arrived_at)
            for entry in entries(record, self.target.clock):
                if entry.event is None:
                    lines.add(entry.quarantine_line(self.shard_id))
            if record.sequence_number == last:
                break
        return lines, arrived

    def _checkpoint_key(self) -> tuple[str, str]:
        return state_keys.checkpoint_key(self.target.workload, self.target.stream, self.shard_id)

    def _write_checkpoint(self, *, closed: bool) -> None:
        item: Checkpoint = {
            "sequence_number": self.after,
            "position": (self.after or "0").zfill(SEQUENCE_DIGITS),
            "max_recorded_at": _text(self.max_recorded_at),
            "max_arrived_at": _text(self.max_arrived_at),
            "closed": closed,
        }
        if not self.state.advance(*self._checkpoint_key(), item, "position"):
            log.warning("The checkpoint of %s is already beyond %s and stays as it is", self.shard_id, self.after)


def _metadata(batch: Batch) -> dict[str, str]:
    """User metadata of a raw object."""
    return {
        "first-sequence": batch.first.sequence_number,
        "last-sequence": batch.last.sequence_number,
        "records": str(batch.raw.lines),
    }


def _recorded_at(record: StreamRecord, clock: Clock) -> str:
    """The earliest ``recorded_at`` in a record; empty if it contains no event."""
    events = [entry.event.recorded_at for entry in entries(record, clock) if entry.event]
    return format_instant(min(events)) if events else ""


def _text(instant: datetime | None) -> str:
    return format_instant(instant) if instant else ""


def _stored_instant(text: str | None, until: datetime) -> datetime | None:
    """The newest ``recorded_at`` of a checkpoint. One in the future, which earlier releases kept, is forgotten."""
    instant = parse_instant(text) if text else None
    return instant if instant and instant <= until else None
