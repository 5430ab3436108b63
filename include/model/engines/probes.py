"""Rows that reach a split of a tree and have a value on its threshold: inputs on which engines tend to disagree.

A random row with one value set to a threshold hardly ever reaches the split in question. So the path from the root to
the split is followed, and the values of a real row are changed until the row takes that path.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from include.model.engines.trees import Ensemble, Tree

MAX_SPLITS = 1000
MAX_CODES = 12


def on_splits(
    ensemble: Ensemble, real: np.ndarray, categories: Mapping[int, int], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Makes rows for up to :data:`MAX_SPLITS` splits, drawn from all trees.

    Args:
        ensemble: The trees.
        real: Real rows, float64 array of shape (rows, features).
        categories: Number of codes of each category column.
        rng: Source of randomness.

    Returns:
        Two float64 arrays of shape (rows, features). The first has five rows for each split on a number: with the
        threshold, and with the float64 and the float32 next below and above it. The second has one row with a missing
        value for each split, and for each split on a category rows with up to :data:`MAX_CODES` codes.
    """
    on_threshold, others = [real[:0]], [real[:0]]
    ends = np.cumsum([int((~tree.leaf).sum()) for tree in ensemble.trees])
    chosen = np.sort(rng.choice(ends[-1], min(ends[-1], MAX_SPLITS), replace=False))
    for tree, end in zip(ensemble.trees, ends, strict=True):
        splits = np.flatnonzero(~tree.leaf)
        parents = _parents(tree)
        for index in chosen[(chosen >= end - len(splits)) & (chosen < end)]:
            node = int(splits[index - end])
            feature = int(tree.feature[node])
            row = _reaching(tree, parents, node, real[rng.integers(len(real))].copy(), categories)
            others.append(_with(row, feature, [math.nan]))
            if node in tree.categories:
                count = categories[feature]
                others.append(_with(row, feature, rng.choice(count, min(count, MAX_CODES), replace=False)))
            elif math.isfinite(tree.threshold[node]):
                on_threshold.append(_with(row, feature, _neighbours(float(tree.threshold[node]))))
    return np.concatenate(on_threshold), np.concatenate(others)


def _neighbours(threshold: float) -> list[float]:
    with np.errstate(over="ignore"):  # next to the largest float32 is infinity
        narrow = np.float32(threshold)
        lower, upper = np.nextafter(narrow, np.float32(-np.inf)), np.nextafter(narrow, np.float32(np.inf))
    above = math.nextafter(threshold, math.inf)
    return [threshold, math.nextafter(threshold, -math.inf), above, float(lower), float(upper)]


def _parents(tree: Tree) -> np.ndarray:
    """The split above each node."""
    splits = np.flatnonzero(~tree.leaf)
    parents = np.zeros(len(tree.leaf), np.int64)
    parents[tree.true[splits]] = parents[tree.false[splits]] = splits
    return parents


def _reaching(tree: Tree, parents: np.ndarray, node: int, row: np.ndarray, categories: Mapping[int, int]) -> np.ndarray:
    """Changes the values of ``row``, in place, so that it reaches ``node``."""
    low: dict[int, float] = {}
    high: dict[int, float] = {}
    codes = {feature: set(range(count)) for feature, count in categories.items()}
    for parent, branch in _path(tree, parents, node):
        feature = int(tree.feature[parent])
        if parent in tree.categories:
            members = {int(value) for value in tree.categories[parent]}
            codes[feature] = codes[feature] & members if branch else codes[feature] - members
        elif branch:
            high[feature] = min(high.get(feature, math.inf), float(tree.threshold[parent]))
        else:
            low[feature] = max(low.get(feature, -math.inf), float(tree.threshold[parent]))
    for feature in low.keys() | high.keys():
        least, most = low.get(feature, -math.inf), high.get(feature, math.inf)
        if not least < row[feature] <= most:
            row[feature] = _between(least, most)
    for feature, allowed in codes.items():
        if allowed and row[feature] not in allowed:
            row[feature] = min(allowed)
    return row


def _path(tree: Tree, parents: np.ndarray, node: int) -> list[tuple[int, bool]]:
    """``(split, branch)`` for every split between ``node`` and the root."""
    path = []
    while node:
        parent = int(parents[node])
        path.append((parent, bool(tree.true[parent] == node)))
        node = parent
    return path


def _between(least: float, most: float) -> float:
    if math.isinf(least):
        return 0.0 if math.isinf(most) else most - 1.0
    return least + 1.0 if math.isinf(most) else (least + most) / 2


def _with(row: np.ndarray, feature: int, values: Sequence[float] | np.ndarray) -> np.ndarray:
    """Copies of ``row``, one for each value of ``feature``."""
    rows = np.repeat(row[np.newaxis], len(values), axis=0)
    rows[:, feature] = values
    return rows
