"""How the features of a set of rows are distributed, in few enough bins for a plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from include.model.evaluation import FeatureDistribution

BINS = 20
CATEGORIES = 12  # the most frequent ones are named
OTHERS = "others"


def distributions(
    matrix: np.ndarray, kinds: Mapping[str, str], categories: Mapping[str, Sequence[str]]
) -> dict[str, FeatureDistribution]:
    """Returns the distribution of each feature.

    Args:
        matrix: float64 array of shape (rows, features), as :class:`include.model.score.Scorer` encodes them.
        kinds: Kind of each feature, in the order of the columns.
        categories: Values of each category feature. The position of a value is its code.
    """
    return {
        name: _categories(matrix[:, index], categories[name]) if kind == "category" else _numbers(matrix[:, index])
        for index, (name, kind) in enumerate(kinds.items())
    }


def _numbers(column: np.ndarray) -> FeatureDistribution:
    """Bins of equal width from the 1st to the 99th percentile; what is beyond counts in the first and the last."""
    values = column[~np.isnan(column)]
    missing = 1 - len(values) / len(column)
    if not len(values):
        return {"kind": "number", "missing": missing, "labels": [], "shares": []}
    low, high = np.percentile(values, [1, 99])
    if low == high:
        return {"kind": "number", "missing": missing, "labels": [f"{low:g}"], "shares": [1.0]}
    edges = np.linspace(low, high, BINS + 1)
    counts = np.histogram(np.clip(values, low, high), edges)[0]
    labels = [f"{start:.4g} to {end:.4g}" for start, end in pairwise(edges.tolist())]
    return {"kind": "number", "missing": missing, "labels": labels, "shares": (counts / len(values)).tolist()}


def _categories(column: np.ndarray, values: Sequence[str]) -> FeatureDistribution:
    codes = column[~np.isnan(column)].astype(int)
    missing = 1 - len(codes) / len(column)
    counts = np.bincount(codes, minlength=len(values))
    ranked = sorted(range(len(values)), key=lambda code: (-counts[code], values[code]))
    named, rest = ranked[:CATEGORIES], ranked[CATEGORIES:]
    total = max(1, len(codes))
    labels, shares = [values[code] for code in named], [float(counts[code] / total) for code in named]
    if rest:
        labels, shares = [*labels, OTHERS], [*shares, float(counts[rest].sum() / total)]
    return {"kind": "category", "missing": missing, "labels": labels, "shares": shares}
