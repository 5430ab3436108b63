"""Makes ``baseline.json`` of a bundle: the data that a model was trained and tuned on, as counts.

Most of it is about *blocks* of consecutive days, because the rows of a day are alike: what a window of new data is held
against is what the training data's own days looked like beside the rest of it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.model.baseline import FORMAT, Baseline, Column
from include.training.baseline_columns import Values, counted
from include.training.baseline_relations import related
from include.workloads import FieldSpec, Workload
from include.workloads.schema import feature_column

BLOCK_ROWS = 500  # a block has as many days as this number of rows takes
_DAY_SECONDS = 86_400
_NUMBERS = ("integer", "number")


def make(
    workload: Workload,
    rows: pa.Table,
    request: Mapping[str, FieldSpec],
    scored: pa.Table,
    probabilities: np.ndarray,
) -> bytes:
    """Makes the document.

    Args:
        workload: The workload.
        rows: The rows of training and validation.
        request: The fields of the request record.
        scored: The rows of the validation split.
        probabilities: Their probabilities of label 1, float64 array of shape (rows,).
    """
    days = _days(rows)
    block_days = max(1, math.ceil(BLOCK_ROWS * len(np.unique(days)) / max(1, len(days))))
    blocks = _blocks(days, block_days)
    features = {
        name: Values.of(rows[feature_column(name)], is_number=kind == "number")
        for name, kind in workload.features.items()
    }
    fields = {
        name: Values.of(rows[name], is_number=spec.type in _NUMBERS, is_opaque=spec.type == "timestamp")
        for name, spec in request.items()
        if name in rows.column_names
    }
    labels = rows["label"].cast(pa.int64()).to_numpy()
    document: Baseline = {
        "format": FORMAT,
        "rows": rows.num_rows,
        "block_days": block_days,
        "features": _columns(features, blocks),
        "fields": _columns(fields, blocks),
        "score": counted(Values.of_numbers(probabilities), _blocks(_days(scored), block_days)),
        "label": {"rows": len(labels), "positives": int(labels.sum())},
    }
    rates = [float(labels[blocks == block].mean()) for block in np.unique(blocks[blocks >= 0])]
    if rates:
        document["label"]["range"] = (min(rates), max(rates))
    return json.dumps(document, separators=(",", ":"), sort_keys=True, allow_nan=False).encode()


def _columns(found: Mapping[str, Values], blocks: np.ndarray) -> dict[str, Column]:
    columns = {name: counted(values, blocks) for name, values in found.items()}
    for name, relation in related(found, columns, blocks).items():
        columns[name]["relation"] = relation
    return columns


def _days(rows: pa.Table) -> np.ndarray:
    """The day of each row's event, as a number."""
    times = pc.cast(rows["event_time"], pa.timestamp("ms", "UTC"))
    return pc.cast(times, pa.int64()).to_numpy() // (1000 * _DAY_SECONDS)


def _blocks(days: np.ndarray, block_days: int) -> np.ndarray:
    """The block of each row, counted from the newest day back; -1 for the days that do not fill a block."""
    if not len(days):
        return np.empty(0, dtype=np.int64)
    present = np.unique(days)
    position = len(present) - 1 - np.searchsorted(present, days)
    block = position // block_days
    whole = len(present) // block_days
    return np.where(block < whole, block, -1)
