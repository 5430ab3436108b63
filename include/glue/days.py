"""Makes the files of each day from its sorted events: duplicates left out, reference rows looked up, features computed.

Pure Python on Arrow batches: it runs in Spark's workers or, for a small run, in the job's own process.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from hashlib import blake2b
from itertools import groupby
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from include.glue.lookup import Lookup
from include.glue.records import ParsedEvent
from include.glue.storage import join_uri
from include.glue.writing import DayFile, RefusedRows, failed_row
from include.workloads import Workload
from include.workloads.feature_code import FeatureCode, compute_row, load_feature_code
from include.workloads.schema import Columns, processed_columns

SEQUENCE_LENGTH = "sequence_length"  # of numbers in text, the shorter is the smaller
BATCH_EVENTS = 10_000  # that are Python objects at a time
JOINED = "joined"
"""The column with the joined fields (JSON), where Spark has joined them because there are too many to look up."""
# Events of a key lie side by side, and of equal events the one that was known first comes first.
# Records that a producer has put together have one sequence number, so their content decides at last.
_TIES = (SEQUENCE_LENGTH, "sequence_number", "shard_id", "event_time", "recorded_at", "payload", "line")
ORDER = ("event_date", "event_type", "key", "known_at", "arrived_at", *_TIES)
_DECODE = json.JSONDecoder().decode
COUNTS_SCHEMA = pa.schema(
    {
        **dict.fromkeys(("event_date", "event_type", "reason"), pa.string()),
        **dict.fromkeys(("rows", "duplicates"), pa.int64()),
    }
)


class DayPlan(NamedTuple):
    """What the files are made of, besides the events. It travels to Spark's workers.

    Attributes:
        columns: Event type → columns of its files.
        fields: Event type → fields of its payload.
        feature_event: The event type with features.
        request: The fields of the request record: the feature event's, then the joined ones.
        features_source: The text of ``features.py``.
        staging: URI of the run's staging prefix.
        quarantine: URI of the run's quarantine prefix.
    """

    columns: dict[str, Columns]
    fields: dict[str, list[str]]
    feature_event: str
    request: list[str]
    features_source: str
    staging: str
    quarantine: str

    @classmethod
    def of(cls, workload: Workload, staging: str, quarantine: str) -> DayPlan:
        """Makes the plan of a workload."""
        return cls(
            {name: processed_columns(workload, name) for name in workload.events},
            {name: list(event.fields) for name, event in workload.events.items()},
            workload.feature_event,
            list(workload.request),
            workload.features_source,
            staging,
            quarantine,
        )


class DayMaker:
    """Makes files of days.

    Args:
        plan: The plan.
        lookups: The joins, in their order; empty where the events have the column ``joined``.
    """

    def __init__(self, plan: DayPlan, lookups: Iterable[Lookup] = ()) -> None:
        self.plan = plan
        self.lookups = list(lookups)

    @cached_property
    def code(self) -> FeatureCode:
        """The workload's feature code."""
        return load_feature_code(self.plan.features_source)

    def make(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Writes the files of all days and event types of some events.

        Args:
            batches: Events as columns of ``ParsedEvent``, in the order :data:`ORDER`.

        Yields:
            For each file and reason the number of rows, as :data:`COUNTS_SCHEMA`; good rows have no reason.
        """
        for (day, event_type), parts in groupby(_runs(batches), key=lambda part: part[0]):
            maker = _EventDay(self, event_type)
            for _, part in parts:
                maker.add(part)
            maker.write(day)
            yield pa.RecordBatch.from_pylist(
                [
                    {"event_date": day, "event_type": event_type, "reason": reason, "rows": rows}
                    | {"duplicates": 0 if reason else maker.duplicates}
                    for reason, rows in maker.counts.items()
                ],
                schema=COUNTS_SCHEMA,
            )


class _EventDay:
    """The events of one type on one day."""

    def __init__(self, maker: DayMaker, event_type: str) -> None:
        self.event_type = event_type
        self.counts: Counter[str | None] = Counter()
        self.duplicates = 0
        self._maker = maker
        self._plan = maker.plan
        self._file = DayFile(maker.plan.columns[event_type]) if event_type in maker.plan.columns else None
        self._refused, self._failed = RefusedRows(), RefusedRows()
        self._key: str | None = None
        self._first: tuple[int, int, str] = (0, 0, "")
        self._seen: set[tuple[int, int, bytes]] = set()

    def add(self, batch: pa.RecordBatch) -> None:
        """Adds events; equal ones must follow one another."""
        refused = batch.filter(pc.is_valid(batch.column("reason"))).select(ParsedEvent._fields).to_pylist()
        self._refused.add(refused)
        self.counts.update(row["reason"] for row in refused)
        batch = batch.filter(pc.is_null(batch.column("reason")))
        if not batch.num_rows or self._file is None:
            return
        batch = batch.filter(pa.array(self._are_new(batch), pa.bool_()))
        rows = self._feature_rows(batch) if self.event_type == self._plan.feature_event else self._rows(batch)
        self.counts[None] += sum(row is not None for row in rows)
        kept = batch.filter(pa.array([row is not None for row in rows], pa.bool_()))
        self._file.add(kept, [row for row in rows if row is not None])

    def write(self, day: str) -> None:
        """Writes the file, and the rows that were refused."""
        self.counts[None] += self.duplicates
        if self._file:
            self._file.write(self._plan.staging, self.event_type, day)
        name = f"{day}-{self.event_type}"
        self._refused.write(join_uri(self._plan.quarantine, "events"), name)
        self._failed.write(join_uri(self._plan.quarantine, "features"), name)

    def _are_new(self, batch: pa.RecordBatch) -> list[bool]:
        """Whether each event is another one than those before it: in its key, times or content."""
        found = []
        columns = [_listed(batch, name) for name in ("key", "event_time", "recorded_at", "payload")]
        for key, event_time, recorded_at, payload in zip(*columns, strict=True):
            event = (event_time, recorded_at, payload)
            if key != self._key:
                self._key, self._first, self._seen = key, event, set()
                found.append(True)
                continue
            if not self._seen:  # most keys have one event, which nothing has to be compared with
                self._seen.add(_identity(*self._first))
            same = _identity(*event)
            found.append(same not in self._seen)
            self._seen.add(same)
        self.duplicates += len(found) - sum(found)
        return found

    def _rows(self, batch: pa.RecordBatch) -> list[tuple[Any, ...] | None]:
        fields = self._plan.fields[self.event_type]
        return [tuple([payload[name] for name in fields]) for payload in map(_DECODE, _listed(batch, "payload"))]

    def _feature_rows(self, batch: pa.RecordBatch) -> list[tuple[Any, ...] | None]:
        """Request record and features of each event; None for one whose features fail."""
        code, request = self._maker.code, self._plan.request
        fields, names = self._plan.fields[self.event_type], list(code.kinds)
        payloads = [_DECODE(text) for text in _listed(batch, "payload")]
        rows: list[tuple[Any, ...] | None] = []
        for index, (payload, joined) in enumerate(zip(payloads, self._joined(batch, payloads), strict=True)):
            given = [*[payload[name] for name in fields], *joined]
            record = dict(zip(request, given, strict=True))
            values, reason = compute_row(code, record)
            if reason is None:
                rows.append((*given, *[values[name] for name in names]))
            else:
                rows.append(None)
                self.counts[reason] += 1
                self._failed.add([failed_row(batch.slice(index, 1), record, reason)])
        return rows

    def _joined(self, batch: pa.RecordBatch, payloads: list[dict[str, Any]]) -> Iterator[Sequence[Any]]:
        """The joined fields of each event, in the order of the request record."""
        if JOINED in batch.schema.names:
            names = self._plan.request[len(self._plan.fields[self.event_type]) :]
            for values in map(_DECODE, _listed(batch, JOINED)):
                yield [values[name] for name in names]
            return
        lookups = self._maker.lookups
        for payload, at in zip(payloads, _listed(batch, "event_time"), strict=True):
            joined: list[Any] = []
            for lookup in lookups:
                joined += lookup.values(payload, at)
            yield joined


def sorted_events(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> list[pa.RecordBatch]:
    """Sorts events in memory as :meth:`DayMaker.make` needs them."""
    events = pa.Table.from_batches(batches, schema)
    keyed = events.append_column(SEQUENCE_LENGTH, pc.utf8_length(events.column("sequence_number")))
    order = pc.sort_indices(keyed, [(name, "ascending", "at_start") for name in ORDER])
    return list(events.take(order).combine_chunks().to_batches(BATCH_EVENTS))


def empty_days(plan: DayPlan, days: Iterable[str], made: set[tuple[str, str]]) -> None:
    """Writes a file without rows for each event type and day that has none."""
    for day in days:
        for event_type, columns in plan.columns.items():
            if (day, event_type) not in made:
                DayFile(columns).write(plan.staging, event_type, day)


def _runs(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[tuple[str, str], pa.RecordBatch]]:
    """Cuts batches where the day or the event type changes."""
    for batch in batches:
        names = zip(_listed(batch, "event_date"), _listed(batch, "event_type"), strict=True)
        start = 0
        for name, same in groupby(names):
            length = sum(1 for _ in same)
            yield name, batch.slice(start, length)
            start += length


def _listed(batch: pa.RecordBatch, name: str) -> list[Any]:
    """A column's values; times as microseconds. By way of numpy, which takes a tenth of the time of ``to_pylist``."""
    column = batch.column(name)
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    return column.to_numpy(zero_copy_only=False).tolist()


def _identity(event_time: int, recorded_at: int, payload: str) -> tuple[int, int, bytes]:
    """What equal events of a key have in common; the payloads of a key may be many, so not the whole text."""
    return event_time, recorded_at, blake2b(payload.encode(), digest_size=16).digest()
