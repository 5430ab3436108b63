"""Writes rows as lines of JSON, or of text with a delimiter as LazySimpleSerDe reads them."""

from __future__ import annotations

import base64
import gzip
import json
import math
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb
import pyarrow as pa

from infra.localcloud.athena.errors import UnsupportedError
from infra.localcloud.athena.layouts import Layout, Target
from infra.localcloud.athena.types import split_top
from infra.localcloud.athena.values import double_text, single_text

_FETCH = 10_000
_NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"


def require_layout(columns: list[tuple[str, str]], form: str) -> None:
    """Checks that the format holds the columns.

    Raises:
        UnsupportedError: A nested column would need nested delimiters.
    """
    for name, kind in columns:
        if form == "TEXTFILE" and (kind.endswith("]") or kind.startswith(("MAP(", "STRUCT("))):
            raise UnsupportedError(f"the column {name} of type {kind.lower()} in TEXTFILE", "Write JSON or PARQUET.")


def write(
    cursor: duckdb.DuckDBPyConnection,
    columns: list[tuple[str, str]],
    target: Target,
    out: Path,
    check: Callable[[], None],
) -> int:
    """Writes the rows of a running query, one file for each partition.

    Args:
        cursor: The running query.
        columns: Its columns: name and DuckDB type; the partition columns are the last ones.
        target: Format, compression and partition columns.
        out: The folder to write to.
        check: Called between batches; may raise.

    Returns:
        The number of rows.
    """
    own = columns[: len(columns) - len(target.partitioned)]
    line = _json_line if target.layout.format == "JSON" else _text_line
    files: dict[Path, Any] = {}
    count = 0
    try:
        while rows := cursor.fetchmany(_FETCH):
            check()
            for row in rows:
                folder = out
                for name, value in zip(target.partitioned, row[len(own) :], strict=True):
                    folder = folder / f"{name}={_partition_text(value)}"
                if folder not in files:
                    folder.mkdir(parents=True, exist_ok=True)
                    files[folder] = _opened(folder / "0", target.layout)
                files[folder].write(line(row, own, target.layout).encode() + b"\n")
            count += len(rows)
    finally:
        for file in files.values():
            file.close()
    return count


def _opened(path: Path, layout: Layout) -> Any:
    if layout.compression == "gzip":
        return gzip.open(path, "wb")
    if layout.compression == "zstd":
        return pa.CompressedOutputStream(pa.OSFile(str(path), "wb"), "zstd")
    return path.open("wb")


def _partition_text(value: Any) -> str:
    if value is None:
        return _NULL_PARTITION
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return quote(text, safe=" -_.@+")


def _instant(value: datetime) -> str:
    text = value.isoformat(sep=" ", timespec="milliseconds")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _text_line(row: tuple[Any, ...], columns: list[tuple[str, str]], layout: Layout) -> str:
    return layout.delimiter.join(
        _text(value, kind, layout.null) for value, (_, kind) in zip(row, columns, strict=False)
    )


def _text(value: Any, kind: str, null: str) -> str:
    if value is None:
        return null
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return single_text(value) if kind == "FLOAT" else double_text(value)
    if isinstance(value, datetime):
        return _instant(value)
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _json_line(row: tuple[Any, ...], columns: list[tuple[str, str]], layout: Layout) -> str:
    pairs = (f"{json.dumps(name)}:{_json(value, kind)}" for value, (name, kind) in zip(row, columns, strict=False))
    return "{" + ",".join(pairs) + "}"


def _json(value: Any, kind: str) -> str:
    if value is None:
        return "null"
    if kind.endswith("[]"):
        return "[" + ",".join(_json(item, kind[:-2]) for item in value) + "]"
    if kind.startswith("MAP("):
        key, item = split_top(kind[4:-1])
        return "{" + ",".join(f"{json.dumps(_text(k, key, ''))}:{_json(v, item)}" for k, v in value.items()) + "}"
    if kind.startswith("STRUCT("):
        kinds = [part.split(" ", 1) for part in split_top(kind[7:-1])]
        return (
            "{"
            + ",".join(f"{json.dumps(n.strip(chr(34)))}:{_json(value[n.strip(chr(34))], k)}" for n, k in kinds)
            + "}"
        )
    number = isinstance(value, (int, float, Decimal)) and not (isinstance(value, float) and not math.isfinite(value))
    written = _text(value, kind, "")
    return written if number else json.dumps(written, ensure_ascii=False)
