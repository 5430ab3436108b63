"""The rows on which the parity gate compares two models."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from include.model.engines.inputs import FLOAT32_LARGEST
from include.model.engines.probes import on_splits
from include.model.engines.trees import Ensemble

MINIMUM_ROWS = 10_000
MAX_REAL_ROWS = 20_000
ROWS_PER_FEATURE = 20
# Values that an estimator may refuse.
BOUNDARY_VALUES = (
    math.nan,
    math.inf,
    -math.inf,
    FLOAT32_LARGEST,
    math.nextafter(FLOAT32_LARGEST, math.inf),
    1e300,
    -1e300,
)


class ComparisonRows(NamedTuple):
    """Rows, float64 (rows, features), and how many of them have a value on or next to a split threshold."""

    rows: np.ndarray
    on_threshold: int


def comparison_rows(
    matrix: np.ndarray,
    golden: np.ndarray,
    *,
    categories: Mapping[int, int],
    ensemble: Ensemble | None,
    missing: bool,
    rng: np.random.Generator,
) -> ComparisonRows:
    """Makes at least :data:`MINIMUM_ROWS` rows.

    They are real rows, the golden rows, rows on split thresholds, every code of every category, missing values, and
    perturbed real rows up to the minimum.

    Args:
        matrix: Real rows, float64 array of shape (rows, features). More than :data:`MAX_REAL_ROWS` are sampled.
        golden: Rows that are all compared, float64 array of shape (rows, features).
        categories: Number of codes of each category column.
        ensemble: The reference's trees, if it is a tree ensemble.
        missing: Whether the reference accepts NaN.
        rng: Source of randomness.
    """
    real = matrix
    if len(matrix) > MAX_REAL_ROWS:
        real = matrix[np.sort(rng.choice(len(matrix), MAX_REAL_ROWS, replace=False))]
    on_threshold, others = on_splits(ensemble, real, categories, rng) if ensemble else (real[:0], real[:0])
    parts = [real, golden, on_threshold, others, _category_rows(real, categories, rng), _missing_rows(real, rng)]
    if not missing:
        parts = [part[~np.isnan(part).any(axis=1)] for part in parts]
    lacking = MINIMUM_ROWS - sum(map(len, parts))
    if lacking > 0:
        parts.append(_perturbed(real, categories, lacking, rng))
    return ComparisonRows(np.concatenate(parts), len(on_threshold))


def boundary_rows(row: np.ndarray) -> list[np.ndarray]:
    """Copies of ``row``, shape (features,), with each of :data:`BOUNDARY_VALUES` in each feature."""
    rows = []
    for value in BOUNDARY_VALUES:
        for feature in range(len(row)):
            changed = row.copy()
            changed[feature] = value
            rows.append(changed)
    return rows


def _category_rows(real: np.ndarray, categories: Mapping[int, int], rng: np.random.Generator) -> np.ndarray:
    """Every code of every category."""
    return np.concatenate(
        [real[:0], *(_with(real, column, np.arange(count, dtype=float), rng) for column, count in categories.items())]
    )


def _missing_rows(real: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rows that lack one feature (for a category that also means unknown), and one row that lacks all."""
    nan = np.full(ROWS_PER_FEATURE, np.nan)
    parts = [_with(real, feature, nan, rng) for feature in range(real.shape[1])]
    return np.concatenate([*parts, np.full((1, real.shape[1]), np.nan)])


def _perturbed(real: np.ndarray, categories: Mapping[int, int], count: int, rng: np.random.Generator) -> np.ndarray:
    """Real rows with noise of a tenth of each number's standard deviation; a category keeps its code."""
    rows = real[rng.integers(len(real), size=count)]
    known = np.where(np.isnan(real), 0.0, real)
    spread = known.std(axis=0)
    spread[list(categories)] = 0.0
    return rows + 0.1 * spread * rng.normal(size=rows.shape)


def _with(real: np.ndarray, feature: int, values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Random real rows, one for each value of ``feature``."""
    rows = real[rng.integers(len(real), size=len(values))]
    rows[:, feature] = values
    return rows
