"""Relational tables → raw: what was written since the last run, of all tables in one consistent snapshot."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from include.errors import NothingToDoError, RefusedError
from include.lake import layout, state_keys
from include.lake.buckets import DataBuckets
from include.lake.instants import format_instant, parse_instant
from include.lake.known import KnownFrom, to_metadata
from include.lake.uris import s3_uri
from include.pipelines.ingest.lines import GzipLines, json_line
from include.pipelines.ingest.overlap import DigestSet, row_digest
from include.pipelines.ingest.types import TableWatermark
from include.pipelines.protocols import ObjectStore, StateStore, TableRow, TableRows, TableSource
from include.workloads.tables import TableSpec

log = logging.getLogger(__name__)

# A watermark that is further in the future was kept while the database's clock was wrong.
CLOCKS_DIFFER = timedelta(hours=1)


class RawTables(NamedTuple):
    """Where a workload's tables go, and the size at which an object is complete."""

    workload: str
    buckets: DataBuckets
    objects: ObjectStore
    state: StateStore
    max_rows: int = 20_000
    max_bytes: int = 32 * 1024 * 1024


def ingest_tables(
    raw: RawTables, tables: Mapping[str, TableSpec], source: TableSource, overlap: timedelta, zone: str | None = None
) -> dict[str, int]:
    """Reads every table from its watermark on, minus an overlap.

    The overlap catches rows that were stamped before the last run and committed after it. If a transaction was open for
    longer than that, reading begins an overlap before its start. Of the overlap, only rows that are not in raw are
    written, so an idle table adds no object and changes no fingerprint. Delivery is at least once: after a crash before
    the watermark is kept, the next run writes rows again, as exact duplicates under another key.

    A table that cannot be read does not stop the others.

    Args:
        raw: Where the rows go.
        tables: Table name → its declaration.
        source: One snapshot of the database.
        overlap: How far behind the last watermark reading begins.
        zone: The time zone of columns without one.

    Returns:
        Table → number of rows written.

    Raises:
        NothingToDoError: No table has a new row.
        RefusedError: A table could not be read, or has rows without a usable watermark, which no run reads. All else
            is in raw. Or a raw object of this snapshot exists already.
    """
    log.info("One snapshot of %d tables, up to %s", len(tables), format_instant(source.upper))
    if source.upper - source.oldest_open > overlap:
        log.warning(
            "A transaction is open since %s, longer than the overlap. Until it ends, every run reads from there on, so "
            "that its rows are not missed.",
            format_instant(source.oldest_open),
        )
    written, problems = {}, []
    for name, table in tables.items():
        try:
            with source.table(table.relation or name, table.database_columns(), table.watermark, zone) as rows:
                written[name] = _ingest_table(raw, name, rows, source, overlap)
                problems += _unread(name, table, rows)
        except source.errors as error:
            problems.append(f"{name}: {error}")
    if problems:
        done = ", ".join(f"{name} {count}" for name, count in written.items()) or "nothing"
        raise RefusedError("\n".join([*problems, f"Rows that are in raw now: {done}."]))
    if not any(written.values()):
        raise NothingToDoError("No table has a row that is not in raw already: nothing to ingest.")
    return written


def _ingest_table(raw: RawTables, name: str, rows: TableRows, source: TableSource, overlap: timedelta) -> int:
    """Writes the table's new rows and moves its watermark; returns their number."""
    key, upper = state_keys.watermark_key(raw.workload, name), source.upper
    digests_key = layout.table_overlap_key(raw.workload, name)
    before = raw.state.get(*key)
    reach = overlap + rows.granularity
    low = _low(before, reach, upper)
    known = DigestSet.of(raw.objects.get_json(raw.buckets.lake, digests_key) if before else None)
    kept_from, seen = source.oldest_open - reach, list[bytes]()

    def new_rows() -> Iterator[TableRow]:
        for row in found:
            kept = row.written_at is not None and row.written_at > kept_from
            if not (kept or known):
                yield row
                continue
            digest = row_digest(row)
            if kept:
                seen.append(digest)
            if digest not in known:
                yield row

    watermark = parse_instant(before["watermark"]) if before else None
    with closing(rows.rows(low)) as found:  # a table is read while its rows are written: nothing else can be asked
        written, refused = _write(raw, name, upper, watermark, new_rows())
    if before is None or seen or len(known):
        raw.objects.put(raw.buckets.lake, digests_key, json.dumps(DigestSet(seen).document()).encode())
    # After the rows and the digests: each of them is in raw, even if this run dies here.
    item: TableWatermark = {
        "watermark": format_instant(upper),
        "complete_from": format_instant(source.oldest_open),
        "overlap_seconds": int(reach.total_seconds()),
    }
    raw.state.put(*key, item)
    log.info("%s: %d rows after %s", name, written, low or "the beginning")
    if refused:
        log.warning("%s: %d of these rows are not fit for use, and the transform quarantines them", name, refused)
    return written


def _low(before: Mapping[str, Any] | None, reach: timedelta, upper: datetime) -> datetime | None:
    """Where reading begins; None is the beginning. A smaller overlap than the last one forgets nothing."""
    if before is None:
        return None
    complete_from = parse_instant(before.get("complete_from") or before["watermark"])
    if complete_from > upper + CLOCKS_DIFFER:
        log.warning("The last watermark, %s, is in the future: the table is read from its beginning", complete_from)
        return None
    return complete_from - max(reach, timedelta(seconds=before["overlap_seconds"]))


def _unread(name: str, table: TableSpec, rows: TableRows) -> list[str]:
    """What is wrong with the table's watermark column, in a sentence."""
    unread, column = rows.unread(), table.database_columns()[table.watermark][0]
    found = {
        f"without {column} (null)": unread.without_watermark,
        f"with {column} in the future": unread.in_future,
    }
    counts = " and ".join(f"{count} rows {what}" for what, count in found.items() if count)
    if not counts:
        return []
    return [f"{name}: {counts} are never read. Correct them, or name a view (relation) that leaves them out."]


class _Chunk:
    """Lines of one raw object, and when the earliest row in them was written."""

    def __init__(self, upper: datetime, watermark: datetime | None) -> None:
        self.lines = GzipLines()
        self.upper, self.watermark = upper, watermark
        self.earliest = upper

    def add(self, line: str, written_at: datetime | None) -> None:
        self.lines.add(line)
        if written_at and written_at < self.earliest:
            self.earliest = written_at

    @property
    def known_from(self) -> KnownFrom:
        """From when on any row counts as known."""
        return KnownFrom.of(self.earliest, self.upper, self.watermark)


def _write(
    raw: RawTables, table: str, upper: datetime, watermark: datetime | None, rows: Iterator[TableRow]
) -> tuple[int, int]:
    """Writes the rows in objects; returns their number, and how many are refused.

    Args:
        raw: Where the rows go.
        table: The table's name.
        upper: This snapshot.
        watermark: The snapshot before. Rows of the overlap were committed after it, whatever their time stamps say, so
            no row is known earlier.
        rows: The rows.
    """
    count = refused = number = 0
    before = None if watermark is None else format_instant(watermark)
    head = json_line({"table": table, "snapshot": format_instant(upper), "watermark": before})[:-1]
    chunk = _Chunk(upper, watermark)
    for row in rows:
        reason = f',"refused":{json_line(row.refused)}' if row.refused else ""
        chunk.add(f'{head},"row":{row.text}{reason}}}', row.written_at)
        count += 1
        refused += bool(row.refused)
        if chunk.lines.lines >= raw.max_rows or chunk.lines.bytes >= raw.max_bytes:
            _put(raw, table, number, chunk)
            chunk, number = _Chunk(upper, watermark), number + 1
    if chunk.lines.lines:
        _put(raw, table, number, chunk)
    return count, refused


def _put(raw: RawTables, table: str, number: int, chunk: _Chunk) -> None:
    key = layout.raw_table_key(raw.workload, table, chunk.upper, number)
    metadata = {
        "records": str(chunk.lines.lines),
        "snapshot": format_instant(chunk.upper),
        **to_metadata(chunk.known_from),
    }
    if not raw.objects.put_once(raw.buckets.raw, key, chunk.lines.finish(), metadata):
        raise RefusedError(f"{s3_uri(raw.buckets.raw, key)} is taken, and raw is never overwritten. Run the DAG again.")
