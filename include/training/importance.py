"""Permutation importance: what a model loses on the test set when a feature's values are shuffled among its rows.

Source: Breiman, Random Forests, Machine Learning 45 (2001); for any model, Fisher, Rudin and Dominici, JMLR 20 (2019).
A feature that others stand in for looks unimportant.
"""

from __future__ import annotations

import numpy as np
from sklearn.metrics import roc_auc_score

from include.model.evaluation import FeatureImportance, Importance
from include.model.score import Scorer

REPEATS = 3
SCORED_ROWS = 150_000  # at most in all: rows × features × repeats


def permutation_importance(scorer: Scorer, matrix: np.ndarray, labels: np.ndarray, seed: int) -> Importance | None:
    """Computes the importance of each feature.

    Args:
        scorer: The model.
        matrix: The test rows, float64 array of shape (rows, features).
        labels: int8 array of shape (rows,).
        seed: Seed of the shuffles, and of the choice of rows where there are many.

    Returns:
        The importance, or None if the rows that were chosen have one class only.
    """
    names = list(scorer.kinds)
    generator = np.random.default_rng(seed)
    rows = min(len(matrix), max(1, SCORED_ROWS // (len(names) * REPEATS)))
    chosen = np.sort(generator.permutation(len(matrix))[:rows])
    matrix, labels = matrix[chosen], labels[chosen]
    if labels.min() == labels.max():
        return None
    whole = roc_auc_score(labels, scorer.score(matrix))
    found = [_importance(name, _drops(scorer, matrix, labels, i, whole, generator)) for i, name in enumerate(names)]
    found.sort(key=lambda entry: (-entry["drop"], entry["feature"]))
    return {"rows": rows, "repeats": REPEATS, "features": found}


def _drops(
    scorer: Scorer, matrix: np.ndarray, labels: np.ndarray, column: int, whole: float, generator: np.random.Generator
) -> np.ndarray:
    """The loss in AUC of each repeat; the repeats are scored in one call."""
    rows = len(matrix)
    shuffled = np.tile(matrix, (REPEATS, 1))
    shuffled[:, column] = np.concatenate([generator.permutation(matrix[:, column]) for _ in range(REPEATS)])
    scores = scorer.score(shuffled)
    parts = [scores[start : start + rows] for start in range(0, rows * REPEATS, rows)]
    return np.array([whole - roc_auc_score(labels, part) for part in parts])


def _importance(name: str, drops: np.ndarray) -> FeatureImportance:
    return {"feature": name, "drop": float(drops.mean()), "deviation": float(drops.std())}
