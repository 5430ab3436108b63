"""Reading a data set's Parquet files and its manifest.

Columns: ``key``, ``event_time``, ``label`` (0 or 1), ``f_<feature>`` and the request fields. Rows are sorted by event time and
key, as the query engine names and splits files as it likes: the same rows give the same model.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from include.training.container import JobError
from include.workloads.fields import format_instant
from include.workloads.schema import feature_column


def read_split(folder: Path) -> pa.Table:
    """All Parquet files below ``folder`` (the query engine gives them no suffix), sorted."""
    files = sorted(str(path) for path in folder.rglob("*") if path.is_file() and path.name[0] not in "._")
    if not files:
        raise JobError(f"{folder} holds no Parquet file: the split is empty")
    table = ds.dataset(files, format="parquet").to_table()
    lacking = [name for name in ("key", "event_time", "label") if name not in table.column_names]
    if lacking:
        raise JobError(
            f"The data set in {folder} lacks the columns {', '.join(lacking)}; it has {', '.join(table.column_names)}"
        )
    if table.num_rows == 0:
        raise JobError(f"{folder} holds no row: the split is empty")
    return table.sort_by([("event_time", "ascending"), ("key", "ascending")])


def labels(table: pa.Table) -> np.ndarray:
    """int8 (rows,). Errors: :class:`JobError` when a label is neither 0 nor 1, or all are alike."""
    column = table["label"]
    if column.null_count:
        raise JobError(f"{column.null_count} rows have no label")
    values = column.cast(pa.float64()).to_numpy()
    if not np.isin(values, (0.0, 1.0)).all():
        raise JobError("label must be 0 or 1 in every row")
    if values.min() == values.max():
        raise JobError(f"All {len(values)} labels are {int(values[0])}; a model needs both 0 and 1")
    return values.astype(np.int8)


def keys(table: pa.Table) -> list[str]:
    """The rows' keys as strings."""
    return table["key"].cast(pa.string()).to_pylist()


def records(table: pa.Table, fields: Iterable[str]) -> list[dict[str, Any]]:
    """Request records as ``features()`` takes them: JSON-native values, times ISO UTC with ``Z``, nothing NaN."""
    names = list(fields)
    lacking = [name for name in names if name not in table.column_names]
    if lacking:
        raise JobError(f"The data set lacks the request fields {', '.join(lacking)}")
    columns = {name: [_native(value) for value in table[name].to_pylist()] for name in names}
    return [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def vocabulary(table: pa.Table, kinds: Mapping[str, str], limit: int) -> dict[str, list[str]]:
    """The values of each category feature, sorted: the ``limit`` most frequent, ties by name."""
    result = {}
    for name, kind in kinds.items():
        if kind != "category":
            continue
        counts = pc.value_counts(_feature(table, name).cast(pa.string()).drop_null()).to_pylist()
        ranked = sorted(counts, key=lambda item: (-item["counts"], item["values"]))
        result[name] = sorted(item["values"] for item in ranked[:limit])
    return result


def matrix(table: pa.Table, kinds: Mapping[str, str], categories: Mapping[str, Sequence[str]]) -> np.ndarray:
    """float64 (rows, features) from the ``f_`` columns, coded as ``Scorer`` codes them."""
    columns = []
    for name, kind in kinds.items():
        column = _feature(table, name)
        if kind == "category":
            known = pa.array(categories[name], pa.string())
            column = pc.index_in(column.cast(pa.string()), value_set=known, skip_nulls=True)
        columns.append(column.cast(pa.float64()).to_numpy())
    return np.column_stack(columns)


def key_digests(values: Iterable[str]) -> np.ndarray:
    """Sorted, unique uint64: the first 8 bytes of each key's sha256 (little endian). Two keys collide once in 10^19 pairs."""
    joined = b"".join(hashlib.sha256(value.encode()).digest()[:8] for value in values)
    return np.unique(np.frombuffer(joined, dtype="<u8"))


def read_manifest(path: Path) -> dict[str, Any]:
    """A data set manifest. Errors: :class:`JobError` that names what it lacks."""
    try:
        manifest = json.loads(path.read_text())
    except ValueError as error:
        raise JobError(f"{path} is no JSON: {error}") from None
    lacking = [name for name in ("workload", "version", "cutoff", "splits") if name not in manifest]
    if lacking:
        raise JobError(f"The data set manifest {path} lacks {', '.join(lacking)}")
    return manifest


def _feature(table: pa.Table, name: str) -> pa.ChunkedArray:
    column = feature_column(name)
    if column not in table.column_names:
        raise JobError(f"The data set lacks the column {column}: it was made with other feature code. Build it again.")
    return table[column]


def _native(value: Any) -> Any:
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, datetime):
        return format_instant(value if value.tzinfo else value.replace(tzinfo=UTC))
    return value
