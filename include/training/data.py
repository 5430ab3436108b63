"""Reads the Parquet files and the manifest of a data set.

The columns are ``key``, ``event_time``, ``label`` (0 or 1), ``f_<feature>``, and the fields of the request record. Rows
are sorted by event time and key, because the query engine chooses the names and sizes of files: the same rows give the
same model.
"""

from __future__ import annotations

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

from include.lake.instants import format_instant
from include.lake.manifest import DatasetManifest, dataset_version
from include.training.container import JobError
from include.workloads.schema import feature_column

REBUILD = "Trigger retrain for this day again with fresh set."
PASS_MANIFEST = "Pass the manifest that the retrain run wrote."


def read_split(folder: Path) -> pa.Table:
    """Reads all Parquet files below ``folder``; the query engine gives them no suffix.

    Returns:
        The rows, sorted by event time and key.

    Raises:
        JobError: There is no file or no row, or a column is missing.
    """
    files = sorted(str(path) for path in folder.rglob("*") if path.is_file() and path.name[0] not in "._")
    if not files:
        raise JobError(f"{folder} contains no Parquet file: the split is empty. {REBUILD}")
    table = ds.dataset(files, format="parquet").to_table()
    missing = [name for name in ("key", "event_time", "label") if name not in table.column_names]
    if missing:
        raise JobError(
            f"The data set in {folder} lacks the columns {', '.join(missing)}; it has {', '.join(table.column_names)}. "
            "Pass the files of a data set that the retrain DAG built."
        )
    if table.num_rows == 0:
        raise JobError(f"{folder} contains no row: the split is empty. {REBUILD}")
    return table.sort_by([("event_time", "ascending"), ("key", "ascending")])


def check_rows(table: pa.Table, manifest: DatasetManifest, split: str) -> None:
    """Compares the number of rows of a split with the manifest.

    Raises:
        JobError: They differ, so a file is missing or one too many was read.
    """
    expected = manifest["splits"][split]["rows"]
    if table.num_rows != expected:
        raise JobError(f"Split {split} has {table.num_rows} rows, but its manifest has {expected}. {REBUILD}")


def labels(table: pa.Table) -> np.ndarray:
    """Returns the labels.

    Returns:
        int8 array of shape (rows,).

    Raises:
        JobError: A label is missing or neither 0 nor 1, or all labels are equal.
    """
    column = table["label"]
    if column.null_count:
        raise JobError(f"{column.null_count} rows have no label. Correct label.expression in workload.yaml.")
    values = column.cast(pa.float64()).to_numpy()
    if not np.isin(values, (0.0, 1.0)).all():
        raise JobError("label must be 0 or 1 in every row. Correct label.expression in workload.yaml.")
    if values.min() == values.max():
        raise JobError(
            f"All {len(values)} labels are {int(values[0])}; a model needs both 0 and 1. "
            "Correct label.expression in workload.yaml, or give the split more days."
        )
    return values.astype(np.int8)


def keys(table: pa.Table) -> list[str]:
    """Returns the rows' keys."""
    return table["key"].cast(pa.string()).to_pylist()


def records(table: pa.Table, fields: Iterable[str]) -> list[dict[str, Any]]:
    """Returns request records as ``features()`` takes them.

    Values have JSON types: times are ISO 8601 UTC text, and NaN is None.

    Raises:
        JobError: The table lacks a field.
    """
    names = list(fields)
    missing = [name for name in names if name not in table.column_names]
    if missing:
        raise JobError(f"The data set lacks the request fields {', '.join(missing)}. {REBUILD}")
    columns = {name: [_json_value(value) for value in table[name].to_pylist()] for name in names}
    return [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def vocabulary(table: pa.Table, kinds: Mapping[str, str], limit: int) -> dict[str, list[str]]:
    """Returns the ``limit`` most frequent values of each category feature, sorted. Ties are broken by value."""
    result = {}
    for name, kind in kinds.items():
        if kind != "category":
            continue
        counts = pc.value_counts(_feature(table, name).cast(pa.string()).drop_null()).to_pylist()
        ranked = sorted(counts, key=lambda item: (-item["counts"], item["values"]))
        result[name] = sorted(item["values"] for item in ranked[:limit])
    return result


def matrix(table: pa.Table, kinds: Mapping[str, str], categories: Mapping[str, Sequence[str]]) -> np.ndarray:
    """Returns the ``f_`` columns, encoded as :class:`include.model.score.Scorer` encodes them.

    Returns:
        float64 array of shape (rows, features).

    Raises:
        JobError: The table lacks a feature.
    """
    columns = []
    for name, kind in kinds.items():
        column = _feature(table, name)
        if kind == "category":
            known = pa.array(categories[name], pa.string())
            column = pc.index_in(column.cast(pa.string()), value_set=known, skip_nulls=True)
        columns.append(column.cast(pa.float64()).to_numpy())
    return np.column_stack(columns)


def read_manifest(path: Path) -> DatasetManifest:
    """Reads a data set manifest.

    Raises:
        JobError: The file is not JSON, lacks a field, or was altered: its digest is not the data set's version.
    """
    try:
        manifest = json.loads(path.read_text())
    except ValueError as error:
        raise JobError(f"{path} is not JSON: {error}. {PASS_MANIFEST}") from None
    missing = [name for name in ("workload", "version", "cutoff", "splits") if name not in manifest]
    if missing:
        raise JobError(f"The data set manifest {path} lacks {', '.join(missing)}. {PASS_MANIFEST}")
    if (found := dataset_version(manifest)) != manifest["version"]:
        raise JobError(
            f"The data set manifest {path} was altered: its digest is {found}, not its version {manifest['version']}. "
            "Restore the object's earlier version in S3."
        )
    return manifest


def _feature(table: pa.Table, name: str) -> pa.ChunkedArray:
    column = feature_column(name)
    if column not in table.column_names:
        raise JobError(
            f"The data set lacks the column {column}: it was made with other feature code. "
            "Process the days again with this code, then trigger retrain again."
        )
    return table[column]


def _json_value(value: Any) -> Any:
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, datetime):
        return format_instant(value if value.tzinfo else value.replace(tzinfo=UTC))
    return value
