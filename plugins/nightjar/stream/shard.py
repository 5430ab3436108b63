"""The commit rule of raw: put the object (the commit), quarantine, a marker for each event day, then the checkpoint.

GetRecords batches are not repeatable: after a crash the same records come back cut elsewhere. So an object is named by the first
record after the checkpoint and written only if that name is free. Where it is taken, the crash happened between the put and the
checkpoint: what follows the put is repaired from the stored object, and reading goes on after *its* last record.
There is one writer at a time (``max_active_runs=1``).
"""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from nightjar.instants import instant_text, parse_instant
from nightjar.kinesis.hook import KinesisReadHook, Record, ShardReader
from nightjar.objects import ObjectStoreHook
from nightjar.state.hook import StateHook
from nightjar.stream.batch import Batch, GzipLines, quarantine_line, raw_head
from nightjar.stream.decode import Undecodable, decode

log = logging.getLogger(__name__)

SEQUENCE_DIGITS = 64  # Kinesis sequence numbers have up to 56; padded, their texts compare as numbers
END_OF_TIME = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Target:
    """Where one stream's records go. Key patterns have the fields ``{ingest_date} {shard_id} {first_sequence} {event_date}``."""

    stream: str
    bucket: str
    raw_key: str
    quarantine_key: str
    marker_key: str
    checkpoint_pk: str
    max_records: int = 10_000
    max_bytes: int = 8 * 1024 * 1024


@dataclass
class Summary:
    """What one run did with one shard. ``next_recorded_at``: of the first record left to the next run ("" where none was)."""

    shard_id: str
    records: int = 0
    quarantined: int = 0
    objects: int = 0
    repaired: int = 0
    next_recorded_at: str = ""
    closed: bool = False

    def to_dict(self) -> dict[str, Any]:
        """For XCom."""
        return asdict(self)


class ShardIngest:
    """Brings one shard's records that arrived before ``until`` into raw."""

    def __init__(
        self,
        target: Target,
        shard_id: str,
        until: datetime,
        *,
        kinesis: KinesisReadHook,
        lake: ObjectStoreHook,
        state: StateHook,
        reader: Callable[..., ShardReader] = ShardReader,
    ) -> None:
        self.target = target
        self.shard_id = shard_id
        self.until = until
        self.kinesis = kinesis
        self.lake = lake
        self.state = state
        self.reader = reader
        self.summary = Summary(shard_id)

    def run(self) -> Summary:
        """Reads to the first record that arrived at ``until`` or later, to the tip, or to the end of a closed shard."""
        item = self.state.get(self.target.checkpoint_pk, self.shard_id) or {}
        self.after: str | None = item.get("sequence_number")
        self.max_recorded_at: str = item.get("max_recorded_at", "")
        if item.get("closed"):
            self.summary.closed = True
            return self.summary
        reader = self.reader(self.kinesis, self.target.stream, self.shard_id, self.until)
        while not self._read(reader):
            pass
        if reader.ended:
            self._checkpoint(closed=True)
            self.summary.closed = True
        elif reader.stopped_at:
            self.summary.next_recorded_at = _recorded_at(reader.stopped_at)
        return self.summary

    def _read(self, reader: ShardReader) -> bool:
        """One pass over the shard; False where it met a batch that was in raw already, and must start again after it."""
        batch: Batch | None = None
        for record in reader.records(self.after):
            batch = batch or Batch(self.shard_id, record)
            batch.add(record)
            if (
                batch.size >= self.target.max_records
                or batch.raw.bytes + batch.quarantine.bytes >= self.target.max_bytes
            ):
                if not self._commit(batch):
                    return False
                batch = None
        return batch is None or self._commit(batch)

    def _commit(self, batch: Batch) -> bool:
        """True when this batch was written; False when another cut of it was there already (and is now repaired)."""
        # The day of the first record's arrival, not of the run: a repair on the next day must find the same name.
        names = {
            "ingest_date": batch.first.arrived_at.date(),
            "shard_id": self.shard_id,
            "first_sequence": batch.first.sequence_number,
        }
        key = self.target.raw_key.format(**names)
        metadata = {
            "first-sequence": batch.first.sequence_number,
            "last-sequence": batch.last.sequence_number,
            "records": str(batch.raw.lines),
            # From when on something in it was known, on either clock: what a data set's inputs are chosen by.
            "arrived-at": instant_text(batch.first.arrived_at),
            **({"recorded-at": batch.min_recorded_at} if batch.min_recorded_at else {}),
        }
        written = self.lake.put_once(self.target.bucket, key, batch.raw.finish(), metadata)
        if written:
            last, days, recorded, quarantine = (
                batch.last.sequence_number,
                batch.days,
                batch.max_recorded_at,
                batch.quarantine,
            )
        else:
            last = self.lake.metadata(self.target.bucket, key)["last-sequence"]
            log.warning(
                "s3://%s/%s is there already, up to %s: repairing what follows a put", self.target.bucket, key, last
            )
            days, recorded = self._stored(key)
            quarantine = self._undecodable_up_to(last)
            self.summary.repaired += 1
        if quarantine.lines:
            self.lake.put(self.target.bucket, self.target.quarantine_key.format(**names), quarantine.finish())
        for day in sorted(days):
            self.lake.put(self.target.bucket, self.target.marker_key.format(event_date=day, **names), b"")
        self.after, self.max_recorded_at = last, max(self.max_recorded_at, recorded)
        self._checkpoint(closed=False)
        self.summary.objects += written
        self.summary.quarantined += quarantine.lines
        self.summary.records += batch.raw.lines if written else 0
        log.info("%s: %s lines, %s quarantined, days %s", key, batch.raw.lines, quarantine.lines, sorted(days))
        return written

    def _stored(self, key: str) -> tuple[set[str], str]:
        """Event days of a stored raw object, and the newest recorded_at in it."""
        days, recorded = set(), ""
        with gzip.open(self.lake.open(self.target.bucket, key)) as lines:
            for line in lines:
                event = json.loads(line)["event"]
                days.add(instant_text(parse_instant(event["event_time"]))[:10])
                recorded = max(recorded, instant_text(parse_instant(event["recorded_at"])))
        return days, recorded

    def _undecodable_up_to(self, last: str) -> GzipLines:
        """Quarantine lines of the stored object's range, read again: the object itself holds the decodable ones only."""
        lines = GzipLines()
        for record in self.reader(self.kinesis, self.target.stream, self.shard_id, END_OF_TIME).records(self.after):
            if int(record.sequence_number) > int(last):
                break
            try:
                decode(record.data)
            except Undecodable as error:
                lines.add(quarantine_line(raw_head(self.shard_id, record), record, str(error)))
            if record.sequence_number == last:
                break
        return lines

    def _checkpoint(self, *, closed: bool) -> None:
        item = {
            "sequence_number": self.after,
            "position": (self.after or "0").zfill(SEQUENCE_DIGITS),
            "max_recorded_at": self.max_recorded_at,
            "closed": closed,
        }
        if not self.state.advance(self.target.checkpoint_pk, self.shard_id, item, "position"):
            log.warning("The checkpoint of %s is already beyond %s and stays there", self.shard_id, self.after)


def _recorded_at(record: Record) -> str:
    try:
        return decode(record.data).recorded_at
    except Undecodable:
        return ""
