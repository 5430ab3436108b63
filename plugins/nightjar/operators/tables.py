"""PostgreSQL tables to raw: what was written since the last run, of all tables in one consistent snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from nightjar.instants import instant_text, parse_instant
from nightjar.objects import ObjectStoreHook
from nightjar.state.hook import StateHook
from nightjar.stream.batch import GzipLines, json_line
from nightjar.tables.snapshot import Row, RowsDigest, Snapshot, snapshot


class PostgresToS3Operator(BaseOperator):
    """Reads every table from its watermark on, minus an overlap; returns table → rows written. Skipped when there is no new row.

    The overlap catches rows that were stamped before the last run and committed after it. Where the overlap is what it was (a
    digest of it is kept with the watermark) it is not written again, so that an idle table adds no object and changes no
    fingerprint. Delivery is at least once: a crash before the watermark is kept writes the rows again, as exact duplicates,
    under another key.

    :param secret: Secrets Manager name of the database's secret.
    :param tables: table → ``{"columns": {name: type}, "watermark": column}``. The watermark column must not be null.
    :param bucket: lake bucket.
    :param raw_key: (table, ingest date, upper bound in digits, chunk) → key.
    :param watermark_keys: table → (pk, sk) in the state table.
    :param overlap_seconds: how far behind the last watermark reading begins. Templated.
    :param chunk_rows: rows an object.
    """

    template_fields: Sequence[str] = ("overlap_seconds",)

    def __init__(
        self,
        *,
        secret: str,
        tables: dict[str, dict[str, Any]],
        bucket: str,
        raw_key: Callable[[str, date, str, int], str],
        state_table: str,
        watermark_keys: dict[str, tuple[str, str]],
        overlap_seconds: int | str = 3600,
        chunk_rows: int = 20_000,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.secret = secret
        self.tables = tables
        self.bucket = bucket
        self.raw_key = raw_key
        self.state_table = state_table
        self.watermark_keys = watermark_keys
        self.overlap_seconds = overlap_seconds
        self.chunk_rows = chunk_rows

    def execute(self, context: Any) -> dict[str, int]:
        state, lake = StateHook(self.state_table), ObjectStoreHook()
        overlap, written = timedelta(seconds=int(self.overlap_seconds)), {}
        with snapshot(self.secret) as source:
            self.log.info("One snapshot of %d tables, up to %s", len(self.tables), instant_text(source.upper))
            for table, spec in self.tables.items():
                key = self.watermark_keys[table]
                before = state.get(*key)
                low = self._low(source, table, spec, before, overlap)
                rows = self._rows(source, table, spec, low, source.upper)
                written[table] = self._write(lake, table, source.upper, rows)
                digest = self._digest(source, table, spec, source.upper - overlap, source.upper)
                kept = {
                    "watermark": instant_text(source.upper),
                    "overlap_seconds": int(overlap.total_seconds()),
                    "overlap_digest": digest,
                }
                state.put(*key, kept)
                self.log.info("%s: %d rows from %s on", table, written[table], low or "the beginning")
        if not any(written.values()):
            raise AirflowSkipException("No table has a row that is not in raw already: nothing to ingest.")
        return written

    def _low(
        self, source: Snapshot, table: str, spec: dict[str, Any], before: dict[str, Any] | None, overlap: timedelta
    ) -> datetime | None:
        """Where reading begins: None is the beginning."""
        if before is None:
            return None
        watermark, kept = parse_instant(before["watermark"]), timedelta(seconds=before["overlap_seconds"])
        unchanged = self._digest(source, table, spec, watermark - kept, watermark) == before["overlap_digest"]
        return watermark if unchanged and overlap <= kept else watermark - overlap

    def _digest(self, source: Snapshot, table: str, spec: dict[str, Any], low: datetime, high: datetime) -> str:
        digest = RowsDigest()
        for row in self._rows(source, table, spec, low, high):
            digest.add(row)
        return digest.text()

    @staticmethod
    def _rows(
        source: Snapshot, table: str, spec: dict[str, Any], low: datetime | None, high: datetime
    ) -> Iterator[Row]:
        return source.rows(table, spec["columns"], spec["watermark"], low, high)

    def _write(self, lake: ObjectStoreHook, table: str, upper: datetime, rows: Iterator[Row]) -> int:
        count = 0
        for chunk, part in groupby(enumerate(rows), lambda numbered: numbered[0] // self.chunk_rows):
            lines = GzipLines()
            for _, row in part:
                lines.add(json_line({"table": table, "snapshot": instant_text(upper), "row": row}))
            key = self.raw_key(table, upper.date(), upper.strftime("%Y%m%d%H%M%S%f"), chunk)
            metadata = {"records": str(lines.lines), "snapshot": instant_text(upper)}
            if not lake.put_once(self.bucket, key, lines.finish(), metadata):
                raise AirflowFailException(
                    f"s3://{self.bucket}/{key} is taken, and raw is never overwritten. Run the DAG again."
                )
            count += lines.lines
        return count
