"""Writes processed rows and refused rows, each file by one request from where the rows are.

A prefix belongs to one run, and a name depends on what is in the file only, so a second write replaces the first.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from include.glue.storage import join_uri, write_bytes
from include.lake.instants import parse_instant
from include.workloads.schema import COMMON_COLUMNS, PARTITION_COLUMN, Columns

ROW_GROUP_ROWS = 100_000
_ARROW_TYPES = {
    "string": pa.string(),
    "double": pa.float64(),
    "bigint": pa.int64(),
    "boolean": pa.bool_(),
    # Without a zone; every reader takes them as UTC, which they are.
    "timestamp": pa.timestamp("us"),
}
_COMMON = [name for name, _ in COMMON_COLUMNS]


class DayFile:
    """The Parquet file of one event type's rows of one day, in the order in which they are added.

    Args:
        columns: What ``include.workloads.schema.processed_columns`` returns.
    """

    def __init__(self, columns: Columns) -> None:
        self._schema = pa.schema([(name, _ARROW_TYPES[kind]) for name, kind in columns])
        self._sink = BytesIO()
        self._writer = pq.ParquetWriter(self._sink, self._schema, compression="snappy", store_schema=False)
        self._waiting: list[pa.RecordBatch] = []

    def add(self, common: pa.RecordBatch, rows: Sequence[tuple[Any, ...]]) -> None:
        """Adds rows.

        Args:
            common: The common columns, besides others.
            rows: For each row the values of the other columns.
        """
        if not rows:
            return
        fields = list(self._schema)[len(_COMMON) :]
        values = zip(*rows, strict=True)
        arrays = [_array(column, field.type) for column, field in zip(values, fields, strict=True)]
        first = [common.column(name) for name in _COMMON]
        self._waiting.append(pa.RecordBatch.from_arrays([*first, *arrays], schema=self._schema))
        if sum(batch.num_rows for batch in self._waiting) >= ROW_GROUP_ROWS:
            self._flush(whole=True)

    def write(self, staging: str, event_type: str, day: str) -> None:
        """Writes the file to ``<staging>/<event_type>/event_date=D/``; without rows it has the columns only."""
        self._flush(whole=False)
        self._writer.close()
        name = f"{PARTITION_COLUMN[0]}={day}"
        write_bytes(join_uri(staging, event_type, name, "part-0.parquet"), self._sink.getvalue())

    def _flush(self, *, whole: bool) -> None:
        """Writes the row groups that are whole, or all: they depend on the rows alone, not on how they were added."""
        rows = pa.Table.from_batches(self._waiting, self._schema).combine_chunks()
        end = rows.num_rows - rows.num_rows % ROW_GROUP_ROWS if whole else rows.num_rows
        for start in range(0, end, ROW_GROUP_ROWS):
            self._writer.write_table(rows.slice(start, min(ROW_GROUP_ROWS, end - start)))
        self._waiting = rows.slice(end).to_batches()


class RefusedRows:
    """Refused rows as gzip JSON lines, each with its reason and without its nulls. Only compressed text is held."""

    def __init__(self) -> None:
        self._sink: BytesIO | None = None
        self._lines: gzip.GzipFile | None = None

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Adds rows."""
        for row in rows:
            if self._lines is None:
                self._sink = BytesIO()
                self._lines = gzip.GzipFile(filename="", mode="wb", fileobj=self._sink, mtime=0)
            document = {column: _text(value) for column, value in row.items() if value is not None}
            self._lines.write(json.dumps(document, ensure_ascii=False).encode() + b"\n")

    def write(self, target: str, name: str) -> None:
        """Writes ``<target>/<name>.json.gz``; without rows, nothing."""
        if self._lines and self._sink:
            self._lines.close()
            write_bytes(join_uri(target, f"{name}.json.gz"), self._sink.getvalue())


def failed_row(event: pa.RecordBatch, record: dict[str, Any], reason: str) -> dict[str, Any]:
    """What the quarantine keeps of an event without features."""
    names = [PARTITION_COLUMN[0], *(name for name, _ in COMMON_COLUMNS)]
    return {**event.select(names).to_pylist()[0], **record, "_reason": reason}


def _array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_timestamp(kind):
        values = [None if value is None else parse_instant(value).replace(tzinfo=None) for value in values]
    return pa.array(values, kind)


def _text(value: Any) -> Any:
    return value.isoformat(timespec="milliseconds") if isinstance(value, datetime) else value
