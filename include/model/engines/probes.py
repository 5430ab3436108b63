"""Rows that reach a split of a tree and lie on it: where two engines part first.

A row with only one value put on a threshold hardly ever comes as far as that split. So the way from the root is followed, and a
real row's values are moved until they take it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from include.model.engines.trees import Ensemble, Tree

SPLITS = 1000
CODES = 12


def on_splits(
    ensemble: Ensemble, real: np.ndarray, categories: Mapping[int, int], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Rows for up to :data:`SPLITS` splits, drawn from all trees: first on thresholds and beside them, then the others.

    On a threshold there are five: the value, and one unit in the last place below and above it, of float64 and of float32. The
    others: for a set of categories up to :data:`CODES` codes, and for every split a missing value. ``real``: float64
    (rows, features).
    """
    on_threshold, others = [real[:0]], [real[:0]]
    ends = np.cumsum([int((~tree.leaf).sum()) for tree in ensemble.trees])
    chosen = np.sort(rng.choice(ends[-1], min(ends[-1], SPLITS), replace=False))
    for tree, end in zip(ensemble.trees, ends, strict=True):
        splits = np.flatnonzero(~tree.leaf)
        parents = _parents(tree)
        for place in chosen[(chosen >= end - len(splits)) & (chosen < end)]:
            node = int(splits[place - end])
            feature = int(tree.feature[node])
            row = _reaching(tree, parents, node, real[rng.integers(len(real))].copy(), categories)
            others.append(_with(row, feature, [math.nan]))
            if node in tree.categories:
                count = categories[feature]
                others.append(_with(row, feature, rng.choice(count, min(count, CODES), replace=False)))
            elif math.isfinite(tree.threshold[node]):
                on_threshold.append(_with(row, feature, _beside(float(tree.threshold[node]))))
    return np.concatenate(on_threshold), np.concatenate(others)


def _beside(threshold: float) -> list[float]:
    narrow = np.float32(threshold)
    return [
        threshold,
        math.nextafter(threshold, -math.inf),
        math.nextafter(threshold, math.inf),
        float(np.nextafter(narrow, np.float32(-np.inf))),
        float(np.nextafter(narrow, np.float32(np.inf))),
    ]


def _parents(tree: Tree) -> np.ndarray:
    """The split above each node."""
    splits = np.flatnonzero(~tree.leaf)
    parents = np.zeros(len(tree.leaf), np.int64)
    parents[tree.true[splits]] = parents[tree.false[splits]] = splits
    return parents


def _reaching(tree: Tree, parents: np.ndarray, node: int, row: np.ndarray, categories: Mapping[int, int]) -> np.ndarray:
    """``row``, with values changed so that it comes to ``node``. In place."""
    low, high, codes = {}, {}, {feature: set(range(count)) for feature, count in categories.items()}
    for parent, yes in _way(tree, parents, node):
        feature = int(tree.feature[parent])
        if parent in tree.categories:
            members = {int(value) for value in tree.categories[parent]}
            codes[feature] = codes[feature] & members if yes else codes[feature] - members
        elif yes:
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


def _way(tree: Tree, parents: np.ndarray, node: int) -> list[tuple[int, bool]]:
    """``(split, whether its answer was yes)`` from ``node`` up to the root."""
    way = []
    while node:
        parent = int(parents[node])
        way.append((parent, bool(tree.true[parent] == node)))
        node = parent
    return way


def _between(least: float, most: float) -> float:
    if math.isinf(least):
        return 0.0 if math.isinf(most) else most - 1.0
    return least + 1.0 if math.isinf(most) else (least + most) / 2


def _with(row: np.ndarray, feature: int, values: Sequence[float] | np.ndarray) -> np.ndarray:
    rows = np.repeat(row[np.newaxis], len(values), axis=0)
    rows[:, feature] = values
    return rows
