"""Random histories of one workload, ingested by the real pipelines into a lake in memory.

A history has events and reference rows that are late, corrected, back-dated, duplicated and out of order, and ingest
runs at random times, some of which crash. Its keys and items begin with its number, so that many histories are one
batch.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import random
from collections.abc import Generator, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import IO, Any, NamedTuple

from include.errors import NothingToDoError
from include.lake import layout, state_keys
from include.lake.buckets import DataBuckets
from include.lake.days import cutoff
from include.lake.instants import format_instant
from include.pipelines.ingest.shard import ShardIngest
from include.pipelines.ingest.tables import RawTables, ingest_tables
from include.pipelines.ingest.target import StreamTarget
from include.pipelines.ingest.watermark import advance_watermark
from include.workloads import Workload
from tests.support.retrain_runs import Objects, State

BUCKETS, SHARD = DataBuckets(raw="raw", lake="lake"), "shard-0"
FIRST_DAY = datetime(2013, 3, 1, tzinfo=UTC)
CUTOFF = FIRST_DAY + timedelta(days=5)  # of the tiny workload's data set of 5 days
END = FIRST_DAY + timedelta(days=9)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


class Record(NamedTuple):
    """A stream record, and when it was really written, whatever its ``recorded_at`` says."""

    sequence_number: str
    arrived_at: datetime
    data: bytes
    written: datetime


class Version(NamedTuple):
    """A version of a reference row, and when it was really committed."""

    committed: datetime
    updated_at: datetime
    item: str
    since: datetime
    name: str


class CrashError(Exception):
    """A process that dies."""


class CrashingObjects(Objects):
    """Objects in memory; the next put after ``crash`` is set dies."""

    crash = False

    def put(self, bucket: str, key: str, body: IO[bytes] | bytes) -> None:
        if self.crash and not key.startswith("raw/"):
            self.crash = False
            raise CrashError
        super().put(bucket, key, body)


class AdvancingState(State):
    """A state table in memory that ingestion can use."""

    def advance(self, pk: str, sk: str, item: Mapping[str, Any], attribute: str) -> bool:
        if (self.get(pk, sk) or {}).get(attribute, "") > item[attribute]:
            return False
        self.put(pk, sk, item)
        return True


class Reader:
    """Reads the records of a history that arrived before an instant."""

    ended = False

    def __init__(self, records: list[Record], until: datetime) -> None:
        self.all, self.until = records, until
        self.stopped_at: Record | None = None

    def records(self, after: str | None) -> Iterator[Record]:
        self.stopped_at = None
        for record in self.all:
            if record.arrived_at >= self.until:
                self.stopped_at = record
                return
            if int(record.sequence_number) > int(after or 0):
                yield record


class Row(NamedTuple):
    """One row of the table, as a snapshot has it."""

    text: str
    written_at: datetime | None
    refused: str = ""


class Unread(NamedTuple):
    """Every row has a watermark."""

    without_watermark: int = 0
    in_future: int = 0


class SnapshotRows:
    """The rows that are in the table at one instant: of each, the version that was committed last."""

    granularity = timedelta(0)

    def __init__(self, committed: list[Version], upper: datetime, columns: Mapping[str, Any]) -> None:
        self.current = {(version.item, version.since): version for version in committed}.values()
        self.upper, self.columns = upper, columns

    def unread(self) -> Unread:
        return Unread()

    def rows(self, low: datetime | None) -> Generator[Row]:
        for version in sorted(self.current, key=lambda version: (version.updated_at, version.name)):
            if (low is None or low < version.updated_at) and version.updated_at <= self.upper:
                values = version._asdict() | {
                    key: format_instant(getattr(version, key)) for key in ("since", "updated_at")
                }
                yield Row(json.dumps({column: values[column] for column in self.columns}), version.updated_at)


class History:
    """One history: what was written, and how it got into the lake."""

    def __init__(self, workload: Workload, number: int) -> None:
        self.workload, self.number, self.random = workload, number, random.Random(number)
        self.prefix = f"h{number}-"
        self.objects, self.state = CrashingObjects(), AdvancingState()
        self.stream_records, self.versions = self._events(), self._versions()
        self.upper = FIRST_DAY
        self.first_build: set[tuple[str, str]] = set()
        """The lake's objects when the data set could be built first."""

    # --- the TableSource and RecordSource of the pipelines --------------------------------------------------------

    def reader(self, stream: str, shard_id: str, until: datetime) -> Reader:
        return Reader(self.stream_records, until)

    @property
    def oldest_open(self) -> datetime:
        return self.upper

    errors: tuple[type[Exception], ...] = ()

    @contextlib.contextmanager
    def table(
        self, relation: str, columns: Mapping[str, tuple[str, str]], watermark: str, zone: str | None
    ) -> Iterator[SnapshotRows]:
        yield SnapshotRows(
            [version for version in self.versions if version.committed <= self.upper], self.upper, columns
        )

    # --- the course of events -------------------------------------------------------------------------------------

    def ingest(self) -> None:
        """Runs the ingestion until the end, at random times."""
        now = FIRST_DAY - 2 * HOUR
        while now < max(END, self.stream_records[-1].arrived_at) or not self.first_build:
            now += self.random.randint(30, 900) * MINUTE
            self._ingest_stream(now)
            if self.random.random() < 0.7:
                self._ingest_tables(now)
            if not self.first_build and self._is_complete():
                self.first_build = set(self.objects.bodies)

    def _ingest_stream(self, until: datetime) -> None:
        name, stream = self.workload.name, self.workload.stream.name
        target = StreamTarget(name, stream, BUCKETS, self.workload.clock, max_records=self.random.randint(1, 5))
        stores: Any = {"objects": self.objects, "state": self.state}
        source: Any = self  # its one shard need not be listed
        self.objects.crash = self.random.random() < 0.2
        try:
            summary = ShardIngest(target, SHARD, until, source=source, **stores).run()
        except CrashError:
            summary = ShardIngest(target, SHARD, until, source=source, **stores).run()
        self.objects.crash = False
        with contextlib.suppress(NothingToDoError):
            advance_watermark(self.workload, [[summary]], until, None, buckets=BUCKETS, **stores)

    def _ingest_tables(self, now: datetime) -> None:
        self.upper = now
        with contextlib.suppress(NothingToDoError):
            raw = RawTables(self.workload.name, BUCKETS, self.objects, self.state, max_rows=3)
            ingest_tables(raw, self.workload.tables, self, self.random.choice((1, 24, 72)) * HOUR)

    def _is_complete(self) -> bool:
        loads = [table.initial_load for table in self.workload.tables.values() if table.initial_load]
        at_least = format_instant(max(CUTOFF, *map(cutoff, loads)) if loads else CUTOFF)
        sources = (self.workload.stream.name, *self.workload.tables)
        marks = [self.state.get(*state_keys.watermark_key(self.workload.name, source)) for source in sources]
        return all(mark and mark["watermark"] >= at_least for mark in marks)

    # --- what is written ------------------------------------------------------------------------------------------

    def _instant(self, first: datetime, last: datetime) -> datetime:
        return first + self.random.randint(0, int((last - first) / MINUTE)) * MINUTE

    def _claimed(self, written: datetime) -> datetime:
        """The time stamp of something: mostly the truth, sometimes back-dated or a little ahead."""
        chance = self.random.random()
        if chance < 0.2:
            return written - self.random.randint(1, 5000) * MINUTE
        return written + MINUTE if chance < 0.25 else written

    def _events(self) -> list[Record]:
        sent: list[tuple[datetime, datetime, dict[str, Any]]] = []
        price = 0
        for key in range(self.random.randint(2, 5)):
            item = f"{self.prefix}{self.random.choice('ab')}"
            happens = self._instant(FIRST_DAY, CUTOFF + 6 * HOUR)
            for event_type in ("offered", "rated"):
                for _ in range(self.random.choice((1, 1, 2, 3))):
                    price += 1
                    at = happens if self.random.random() < 0.8 else self._instant(FIRST_DAY, CUTOFF + 6 * HOUR)
                    payload = (
                        {"item": item, "price": price}
                        if event_type == "offered"
                        else {"stars": self.random.choice((1, 2, 4, 5, None))}
                    )
                    written = self._instant(at - 5 * HOUR, at + self.random.choice((0, 3, 60)) * HOUR)
                    event = {
                        "event_type": event_type,
                        "key": f"{self.prefix}{key}",
                        "event_time": format_instant(at),
                        "recorded_at": format_instant(self._claimed(written)),
                        "payload": payload,
                    }
                    for _ in range(self.random.choice((1, 1, 1, 2))):
                        late = self.random.choice((0, 0, 0, 5, 600, 4000)) * MINUTE
                        sent.append((written + self.random.randint(0, 3) * MINUTE + late, written, event))
        for hour in range(0, 9 * 24, 8):  # something always arrives, so the watermark moves
            at = FIRST_DAY + hour * HOUR
            event = {"event_type": "offered", "key": f"{self.prefix}beat", "event_time": format_instant(END)}
            event |= {"recorded_at": format_instant(at), "payload": {"item": "beat", "price": 0}}
            sent.append((at, at, event))
        sent.sort(key=lambda item: item[0])
        return [
            Record(str(number + 1), arrived, json.dumps(event).encode(), written)
            for number, (arrived, written, event) in enumerate(sent)
        ]

    def _versions(self) -> list[Version]:
        versions: list[Version] = []
        for item in "ab":
            for _ in range(self.random.randint(1, 4)):
                since = self._instant(FIRST_DAY - 24 * HOUR, CUTOFF)
                committed = self._instant(since - 6 * HOUR, since + self.random.choice((0, 1, 30, 100)) * HOUR)
                for _ in range(self.random.choice((1, 1, 2, 3))):
                    updated_at = committed - self.random.choice((0, 0, 0, 20, 50, 3000)) * MINUTE
                    name = f"{self.prefix}v{len(versions)}"
                    versions.append(Version(committed, updated_at, f"{self.prefix}{item}", since, name))
                    committed += self.random.randint(1, 2000) * MINUTE
        return sorted(versions)

    def lines(self, source: str, keys: set[tuple[str, str]] | None = None) -> list[str]:
        """The raw lines of a stream or table, of all objects or of some."""
        prefix = layout.raw_prefix(self.workload.name, source)
        found = [place for place in sorted(keys or self.objects.bodies) if place[1].startswith(prefix)]
        return [line for place in found for line in gzip.decompress(self.objects.bodies[place]).decode().splitlines()]
