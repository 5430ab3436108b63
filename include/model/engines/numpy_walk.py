"""The walks of ``nightjar_walk`` in NumPy: the same answers, a hundred times slower, where there is no extension."""

from __future__ import annotations

import math

import numpy as np

from include.model.engines.boosted_form import WORD, BoostedTrees
from include.model.engines.native_form import NativeForest

ROWS_AT_ONCE = 1000  # bounds the memory
LARGEST_POWER = 88.7  # of e in float32; larger ones are infinite


class NumpyWalk:
    """The walk of a forest or of boosted trees."""

    def __init__(self, trees: NativeForest | BoostedTrees) -> None:
        self._trees = trees

    def one(self, row: list[float]) -> None:
        """Leaves every row to :meth:`many`."""

    def many(self, matrix: np.ndarray, answers: np.ndarray) -> None:
        """Writes the probability of each row of float64 (rows, features)."""
        for start in range(0, len(matrix), ROWS_AT_ONCE):
            part = slice(start, start + ROWS_AT_ONCE)
            if isinstance(self._trees, BoostedTrees):
                answers[part] = _boosted(self._trees, matrix[part])
            else:
                answers[part] = _forest(self._trees, matrix[part].astype(np.float32))


def _forest(forest: NativeForest, rows: np.ndarray) -> np.ndarray:
    number = np.arange(len(rows))[:, np.newaxis]
    at = np.repeat(forest.roots[np.newaxis], len(rows), axis=0)
    child, feature, missing, split = forest.child, forest.feature, forest.missing_false, forest.nodes["split"]
    for _ in range(forest.depths.max(initial=0)):
        value = rows[number, feature[at]]
        at = child[at] + ((value > split[at]) | (np.isnan(value) & missing[at]))
    return _sums(forest.values[forest.value[at]]) / len(forest.roots)


def _boosted(trees: BoostedTrees, rows: np.ndarray) -> np.ndarray:
    columns, number = _columns(trees, rows), np.arange(len(rows))[:, np.newaxis]
    at = np.repeat(trees.roots[np.newaxis], len(rows), axis=0)
    child, column, rank = (trees.nodes[name] for name in ("next", "column", "rank"))
    for _ in range(trees.depths.max(initial=0)):
        at = child[at] + (columns[number, column[at]] > rank[at])
    offset = np.repeat(trees.offset[np.newaxis], len(rows), axis=0)
    logistic = _single_logistic if trees.single else _logistic
    return np.array([logistic(float(odds)) for odds in _sums(np.concatenate([offset, trees.values[at]], axis=1))])


def _columns(trees: BoostedTrees, rows: np.ndarray) -> np.ndarray:
    """The bytes of each row: uint8 (rows, columns)."""
    parts, cut, byte = [], 0, 0
    for values, (cuts, words) in zip(rows.T, trees.features.tolist(), strict=True):
        interval = np.where(np.isnan(values), cuts + 1, np.searchsorted(trees.cuts[cut : cut + cuts], values))
        size = (cuts + 2) * words * WORD
        parts.append(trees.table[byte : byte + size].reshape(cuts + 2, words * WORD)[interval])
        cut, byte = cut + cuts, byte + size
    return np.concatenate(parts, axis=1)


def _sums(values: np.ndarray) -> np.ndarray:
    """Each row's sum, one after the other, as scikit-learn adds them: NumPy's own sum has another order."""
    return np.cumsum(values, axis=1)[:, -1]


def _logistic(odds: float) -> float:
    """As SciPy computes it for scikit-learn, with the C library's exponential function; NumPy has its own."""
    try:
        return 1.0 / (1.0 + math.exp(-odds))
    except OverflowError:  # in C the power is infinite
        return 0.0


def _single_logistic(odds: float) -> float:
    """As XGBoost computes it in float32. The C library's exponential function of float32 may differ by a digit."""
    power = np.float32(math.exp(min(-odds, LARGEST_POWER)))
    return float(np.float32(1) / (power + np.float32(1)))
