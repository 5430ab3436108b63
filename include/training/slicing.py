"""Slices: the test rows by the values of a field, each measured on its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from sklearn.metrics import roc_auc_score

from include.model.evaluation import SliceMetrics
from include.training.bootstrap import bootstrap_auc, interval
from include.training.container import JobError
from include.workloads.training import SliceSpec

MISSING = "(missing)"
RESAMPLES = 200  # at most, for a slice's interval
LISTED = 50  # values without metrics that are named; a field may have thousands


def slice_names(rows: pa.Table, spec: SliceSpec) -> np.ndarray:
    """Returns the name of each row's slice.

    Raises:
        JobError: The rows have no such field.
    """
    if spec.field not in rows.column_names:
        raise JobError(
            f"The test set has no column {spec.field}, which quality.slices in workload.yaml names. "
            "Name a field of the request there."
        )
    values = rows[spec.field].to_pylist()
    if not spec.edges:
        return np.array([MISSING if value is None else str(value) for value in values])
    ranges = _ranges(spec.edges)
    return np.array([_range(value, spec.edges, ranges) for value in values])


def measure_slices(
    labels: np.ndarray, probabilities: np.ndarray, names: np.ndarray, spec: SliceSpec, *, resamples: int, seed: int
) -> tuple[dict[str, SliceMetrics], dict[str, str]]:
    """Computes the metrics of each slice.

    Args:
        labels: Labels, an int array of shape (rows,).
        probabilities: Probabilities of label 1, a float64 array of shape (rows,).
        names: What :func:`slice_names` returns.
        spec: The slice field.
        resamples: Bootstrap resamples for the interval, of which at most :data:`RESAMPLES` are made.
        seed: Seed of the bootstrap.

    Returns:
        The metrics by slice, and the reason for each slice that has none.
    """
    measured: dict[str, SliceMetrics] = {}
    skipped: dict[str, str] = {}
    for name in sorted(set(names.tolist())):
        chosen = names == name
        rows, positive = int(chosen.sum()), int(labels[chosen].sum())
        if rows < spec.minimum:
            skipped[name] = f"{rows} rows, fewer than {spec.minimum}"
        elif positive in (0, rows):
            skipped[name] = f"all {rows} labels are {int(positive > 0)}"
        else:
            measured[name] = _measure(labels[chosen], probabilities[chosen], min(resamples, RESAMPLES), seed)
    return measured, _shortened(skipped)


def _measure(labels: np.ndarray, probabilities: np.ndarray, resamples: int, seed: int) -> SliceMetrics:
    low, high = interval(bootstrap_auc(labels, [probabilities], resamples, seed)[0])
    return {
        "rows": len(labels),
        "auc": float(roc_auc_score(labels, probabilities)),
        "auc_low": low,
        "auc_high": high,
        "positive_rate": float(labels.mean()),
    }


def _ranges(edges: Sequence[float]) -> list[str]:
    between = [f"{low:g} to {high:g}" for low, high in pairwise(edges)]
    return [f"below {edges[0]:g}", *between, f"from {edges[-1]:g}"]


def _range(value: Any, edges: Sequence[float], ranges: Sequence[str]) -> str:
    if value is None or math.isnan(value):
        return MISSING
    return ranges[int(np.searchsorted(edges, value, side="right"))]


def _shortened(skipped: dict[str, str]) -> dict[str, str]:
    """The first ones by name, and how many more there are."""
    if len(skipped) <= LISTED:
        return skipped
    named = dict(list(skipped.items())[:LISTED])
    return {**named, f"({len(skipped) - LISTED} more)": "too many values to name"}
