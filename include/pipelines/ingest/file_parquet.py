"""The rows of a dropped Parquet file: each value becomes what JSON lines would have.

pyarrow decodes the pages of one row group at a time, so the size of a row group is the memory that a file needs; a file
whose footer declares more than the limits below is refused before a row is read.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from include.lake.instants import format_instant
from include.pipelines.ingest.file_columns import MAX_ROW_BYTES, FileColumns
from include.pipelines.ingest.file_outcomes import FileRefusedError
from include.workloads.files import ENVELOPE, KEY

MIB = 1024 * 1024
MAX_ROWS = 5_000_000
MAX_COLUMNS = 1_000
MAX_MEGABYTES = 4_096
"""Of all columns together, decompressed."""
MAX_ROW_GROUP_MEGABYTES = 128
"""Of the columns that are read, decompressed: a worker has four other tasks."""
BATCH_ROWS = 1_000
READ_BYTES = MIB
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parquet_rows(path: Path, columns: FileColumns) -> Iterator[tuple[int, bytes]]:
    """Iterates over number and event of each row, the first one being 1.

    Args:
        path: The file.
        columns: What its columns are.

    Raises:
        FileRefusedError: It cannot be read, is too large, or a column is of a type that no field can have.
    """
    try:
        # Without pre-buffering, the pages of a column are read one after the other, and not all at once.
        with pq.ParquetFile(path, pre_buffer=False, buffer_size=READ_BYTES, page_checksum_verification=True) as file:
            schema = file.schema_arrow
            places = columns.places(schema.names)
            names = [schema.names[place] for place in places.values()]
            _check_size(file.metadata, set(names))
            for field, name in zip(places, names, strict=True):
                _check_type(field, name, schema.field(name).type)
            numbers = count(1)
            for batch in file.iter_batches(BATCH_ROWS, columns=names, use_threads=False):
                values = [_values(batch.column(name)) for name in names]
                for row in zip(*values, strict=True):
                    number, data = next(numbers), _event(dict(zip(places, row, strict=True)), columns)
                    if len(data) > MAX_ROW_BYTES:
                        raise FileRefusedError(f"row {number} has more than {MAX_ROW_BYTES} bytes")
                    yield number, data
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        if getattr(error, "errno", None) is not None:  # of this machine, not of the file
            raise
        raise FileRefusedError(f"cannot be read as Parquet: {str(error)[:200]}; write it again") from None


def _check_size(footer: Any, names: set[str]) -> None:
    """Checks what the footer declares.

    Args:
        footer: The file's metadata.
        names: The columns that are read.
    """
    if footer.num_columns > MAX_COLUMNS:
        raise FileRefusedError(f"has {footer.num_columns} columns, more than {MAX_COLUMNS}")
    if footer.num_rows > MAX_ROWS:
        raise FileRefusedError(f"has {footer.num_rows} rows, more than {MAX_ROWS}; split it")
    total = 0
    for number in range(footer.num_row_groups):
        group = footer.row_group(number)
        chunks = [group.column(place) for place in range(group.num_columns)]
        total += sum(chunk.total_uncompressed_size for chunk in chunks)
        read = sum(chunk.total_uncompressed_size for chunk in chunks if chunk.path_in_schema in names)
        if read > MAX_ROW_GROUP_MEGABYTES * MIB:
            raise FileRefusedError(
                f"has a row group of {read // MIB} MiB, decompressed (number {number + 1}); "
                f"write row groups of at most {MAX_ROW_GROUP_MEGABYTES} MiB"
            )
    if total > MAX_MEGABYTES * MIB:
        raise FileRefusedError(f"has {total // MIB} MiB, decompressed, more than {MAX_MEGABYTES}; split it")


def _check_type(field: str, name: str, kind: Any) -> None:
    """Checks that a column's values have a form in JSON, and those of the envelope a text."""
    if pa.types.is_timestamp(kind) and kind.tz is None:
        raise FileRefusedError(f"has times without a time zone in the column {name}; write them in UTC")
    accepted = _ENVELOPE if field in ENVELOPE else _PAYLOAD
    if field == KEY:
        accepted = _KEY
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    if not any(accepts(value) for accepts in accepted):
        raise FileRefusedError(f"has the type {kind} in the column {name}, which {field} cannot have")


_TEXT: tuple[Callable[[Any], bool], ...] = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
_KEY = (*_TEXT, pa.types.is_integer)
_ENVELOPE = (*_TEXT, pa.types.is_timestamp, pa.types.is_null)
_PAYLOAD = (*_ENVELOPE, pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean)


def _values(column: Any) -> list[Any]:
    """The values of a column, times as text."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if not pa.types.is_timestamp(column.type):
        values: list[Any] = column.to_pylist()
        return values
    # Parts of a microsecond are cut off. A year that Python lacks stays a number, which nobody takes for a time.
    microseconds = column.cast(pa.timestamp("us", tz="UTC"), safe=False).cast(pa.int64()).to_pylist()
    return [None if value is None else _time(value) for value in microseconds]


def _time(microseconds: int) -> str:
    try:
        return format_instant(_EPOCH + timedelta(microseconds=microseconds))
    except OverflowError:
        return f"{microseconds} microseconds since 1970"


def _event(row: dict[str, Any], columns: FileColumns) -> bytes:
    envelope = {name: None if row.get(name) is None else str(row[name]) for name in ENVELOPE}
    payload = {name: _json(row[name]) for name in columns.fields if name in row}
    return columns.event(envelope, payload)


def _json(value: Any) -> str:
    """A value as JSON, with every digit. JSON has no NaN: it becomes text, which the transform refuses."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, float) and not math.isfinite(value):
        return json.dumps(str(value))
    return json.dumps(value)
