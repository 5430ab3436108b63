"""Relational tables → raw: what was written since the last run, of all tables in one consistent snapshot."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from include.errors import NothingToDoError, RefusedError
from include.lake import layout
from include.lake.instants import format_instant, parse_instant
from include.lake.known import KnownFrom, earliest, to_metadata
from include.lake.uris import s3_uri
from include.pipelines.ingest.lines import GzipLines, json_line
from include.pipelines.ingest.types import TableWatermark
from include.pipelines.protocols import ObjectStore, StateStore, TableSource
from include.workloads.declaration import TableSpec

log = logging.getLogger(__name__)

CHUNK_ROWS = 20_000
Row = dict[str, Any]


class RowsDigest:
    """A digest of a set of rows that does not depend on their order."""

    def __init__(self) -> None:
        self._sum = 0
        self._rows = 0

    def add(self, row: Row) -> None:
        """Adds one row."""
        self._sum += int.from_bytes(hashlib.sha256(json.dumps(row, sort_keys=True).encode()).digest())
        self._rows += 1

    def text(self) -> str:
        """Returns the row count and the 256-bit sum of the rows' SHA-256."""
        return f"{self._rows}:{self._sum % 2**256:064x}"


def ingest_tables(
    workload: str,
    tables: Mapping[str, TableSpec],
    source: TableSource,
    overlap: timedelta,
    *,
    bucket: str,
    objects: ObjectStore,
    state: StateStore,
    chunk_rows: int = CHUNK_ROWS,
) -> dict[str, int]:
    """Reads every table from its watermark on, minus an overlap.

    The overlap catches rows that were stamped before the last run and committed after it. If the rows of the overlap
    are unchanged (their digest is kept with the watermark), they are not written again, so an idle table adds no object
    and changes no fingerprint. Delivery is at least once: after a crash before the watermark is kept, the next run
    writes the rows again, as exact duplicates under another key.

    Args:
        workload: The workload's name.
        tables: Table name → its declaration. Its watermark column must not be null.
        source: One snapshot of the database.
        overlap: How far behind the last watermark reading begins.
        bucket: The lake bucket.
        objects: The lake.
        state: The state table.
        chunk_rows: Rows per object.

    Returns:
        Table → number of rows written.

    Raises:
        NothingToDoError: No table has a new row.
        RefusedError: A raw object of this snapshot exists already.
    """
    written = {}
    log.info("One snapshot of %d tables, up to %s", len(tables), format_instant(source.upper))
    for name, table in tables.items():
        key = layout.watermark_key(workload, name)
        reader, before = _TableReader(source, name, table), state.get(*key)
        low = _low(reader, before, overlap)
        # Rows of the overlap were committed after the last snapshot, whatever their time stamps: they get its instant.
        watermark = parse_instant(before["watermark"]) if before else None
        written[name] = _write(objects, bucket, workload, reader, low, source.upper, watermark, chunk_rows)
        item: TableWatermark = {
            "watermark": format_instant(source.upper),
            "overlap_seconds": int(overlap.total_seconds()),
            "overlap_digest": reader.digest(source.upper - overlap, source.upper),
        }
        state.put(*key, item)
        log.info("%s: %d rows after %s", name, written[name], low or "the beginning")
    if not any(written.values()):
        raise NothingToDoError("No table has a row that is not in raw already: nothing to ingest.")
    return written


class _TableReader:
    """Rows of one table in the snapshot."""

    def __init__(self, source: TableSource, name: str, table: TableSpec) -> None:
        self.source = source
        self.name = name
        self.columns: dict[str, str] = {column: field.type for column, field in table.fields.items()}
        self.watermark = table.watermark

    def written_at(self, row: Row) -> datetime:
        return parse_instant(row[self.watermark])

    def rows(self, low: datetime | None, high: datetime) -> Iterator[Row]:
        return self.source.rows(self.name, self.columns, self.watermark, low, high)

    def digest(self, low: datetime, high: datetime) -> str:
        digest = RowsDigest()
        for row in self.rows(low, high):
            digest.add(row)
        return digest.text()


def _low(reader: _TableReader, before: Mapping[str, Any] | None, overlap: timedelta) -> datetime | None:
    """Where reading begins; None is the beginning."""
    if before is None:
        return None
    watermark, kept = parse_instant(before["watermark"]), timedelta(seconds=before["overlap_seconds"])
    unchanged = reader.digest(watermark - kept, watermark) == before["overlap_digest"]
    return watermark if unchanged and overlap <= kept else watermark - overlap


def _write(
    objects: ObjectStore,
    bucket: str,
    workload: str,
    reader: _TableReader,
    low: datetime | None,
    upper: datetime,
    watermark: datetime | None,
    chunk_rows: int,
) -> int:
    """Writes the rows in chunks; returns their number. ``watermark`` is the snapshot before this one."""
    table, count, snapshot = reader.name, 0, format_instant(upper)
    head = {"table": table, "snapshot": snapshot, "watermark": None if watermark is None else format_instant(watermark)}
    for chunk, part in groupby(enumerate(reader.rows(low, upper)), lambda numbered: numbered[0] // chunk_rows):
        lines = GzipLines()
        known_from = KnownFrom.of(upper, upper, watermark)
        for _, row in part:
            lines.add(json_line({**head, "row": row}))
            known_from = earliest(known_from, KnownFrom.of(reader.written_at(row), upper, watermark))
        key = layout.raw_table_key(workload, table, upper, chunk)
        metadata = {"records": str(lines.lines), "snapshot": snapshot, **to_metadata(known_from)}
        if not objects.put_once(bucket, key, lines.finish(), metadata):
            raise RefusedError(f"{s3_uri(bucket, key)} is taken, and raw is never overwritten. Run the DAG again.")
        count += lines.lines
    return count
