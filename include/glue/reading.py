"""Reads raw objects, each whole: one request, and no listing. What is parsed becomes Arrow batches."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import batched, islice
from typing import Any, NamedTuple

import pyarrow as pa

from include.glue.errors import GlueJobError
from include.glue.records import ParsedEvent, ParsedTableRow, Schemas, parse_event, parse_table_row
from include.glue.storage import read_bytes
from include.lake.known import Clock
from include.workloads.tables import TableSpec

_TIMES = {"event_time", "known_at", "recorded_at", "arrived_at", "valid_from", "version_time"}
_BATCH_ROWS, _READERS = 5000, 8
# Raw events of flights become 15 times as much text. Repeated ones become a thousand times as much: too much memory.
UNPACKED_TIMES = 32
ReadObject = Callable[[str], bytes]


def arrow_schema(row_type: type[ParsedEvent] | type[ParsedTableRow]) -> pa.Schema:
    """Returns the columns of parsed rows: times as timestamps without a zone, the rest as text."""
    return pa.schema([(name, pa.timestamp("us") if name in _TIMES else pa.string()) for name in row_type._fields])


EVENT_SCHEMA = arrow_schema(ParsedEvent)
TABLE_SCHEMA = arrow_schema(ParsedTableRow)


class EventParser(NamedTuple):
    """What :func:`parse_event` needs besides a line."""

    schemas: Schemas
    clock: Clock
    days: frozenset[str]
    heartbeat: str | None

    def batches(self, uris: Iterable[str], read: ReadObject = read_bytes) -> Iterator[pa.RecordBatch]:
        """Parses the events in raw objects of the stream, as columns of :class:`ParsedEvent`."""
        parse = partial(parse_event, schemas=self.schemas, clock=self.clock, days=self.days, heartbeat=self.heartbeat)
        return _batches((row for line in lines(uris, read) if (row := parse(line)) is not None), EVENT_SCHEMA)


def table_batches(uris: Iterable[str], table: TableSpec, clock: Clock) -> Iterator[pa.RecordBatch]:
    """Parses the versions in raw objects of a reference table, as columns of :class:`ParsedTableRow`."""
    return _batches((parse_table_row(line, table, clock) for line in lines(uris)), TABLE_SCHEMA)


def lines(uris: Iterable[str], read: ReadObject = read_bytes) -> Iterator[str]:
    """Yields the lines of raw objects (gzip, one JSON document a line)."""
    for uri, content in _contents(uris, read):
        try:
            text = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise GlueJobError(f"{uri} is no whole gzip file: {error}. Bring the object back from a copy.") from error
        for line in text.splitlines():
            yield line.decode("utf-8", "replace")


def read_within(uris: Sequence[str], limit: int) -> dict[str, bytes] | None:
    """Reads gzip objects, as long as they have at most ``limit`` bytes together, and little text for that.

    Returns:
        URI → content; None if they have more, or more than :data:`UNPACKED_TIMES` so much text.
    """
    found: dict[str, bytes] = {}
    unpacked_limit = limit * UNPACKED_TIMES
    for uri, content in _contents(uris, read_bytes):
        found[uri] = content
        limit -= len(content)
        unpacked_limit -= int.from_bytes(content[-4:], "little")  # where gzip has the length of the text
        if limit < 0 or unpacked_limit < 0:
            return None
    return found


def _contents(uris: Iterable[str], read: ReadObject) -> Iterator[tuple[str, bytes]]:
    """Reads some objects at a time: a request takes S3 longer than it takes this process."""
    waiting = iter(uris)
    for uri in islice(waiting, 1):  # alone, because it makes the client that the others share
        yield uri, read(uri)
    with ThreadPoolExecutor(_READERS) as pool:
        for some in batched(waiting, _READERS):
            yield from zip(some, pool.map(read, some), strict=True)


def _batches(rows: Iterable[tuple[Any, ...]], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for some in batched(rows, _BATCH_ROWS):
        columns = zip(*some, strict=True)
        arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)
