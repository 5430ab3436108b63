"""Metrics of a binary classifier, with a seeded bootstrap.

In every function, ``labels`` is an int array of shape (rows,) with 0 and 1, and ``probabilities`` a float64 array of
shape (rows,) with the probability of label 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score, roc_curve

from include.model.evaluation import BinaryMetrics, CalibrationBin, SliceMetrics

BOOTSTRAP_CHUNK = 50
CALIBRATION_BINS = 10
ROC_POINTS = 101


def measure(labels: np.ndarray, probabilities: np.ndarray, threshold: float) -> BinaryMetrics:
    """Computes the metrics of all rows, as scikit-learn defines them.

    See https://scikit-learn.org/stable/modules/model_evaluation.html. The Brier score is from Brier (1950), Monthly
    Weather Review 78.
    """
    predictions = probabilities >= threshold
    return {
        "auc": float(roc_auc_score(labels, probabilities)),
        "log_loss": float(log_loss(labels, probabilities)),
        "brier": float(brier_score_loss(labels, probabilities)),
        "accuracy": float((predictions == labels).mean()),
        "positive_rate": float(labels.mean()),
        "predicted_rate": float(predictions.mean()),
    }


def bootstrap_auc(labels: np.ndarray, scores: Sequence[np.ndarray], resamples: int, seed: int) -> np.ndarray:
    """Computes the AUC of each score on each resample.

    The bootstrap is paired: each resample of the rows (with replacement, as counts from a multinomial) is used for
    every score, so the difference of two rows of the result is the bootstrap distribution of the difference in AUC.
    Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapters 6 and 13. The AUC of a resample is
    the Mann-Whitney statistic, ties counted half: Hanley and McNeil, Radiology 143 (1982).

    Args:
        labels: Labels.
        scores: Probabilities of each model.
        resamples: Number of resamples.
        seed: Seed of the resamples.

    Returns:
        float64 array of shape (scores, resamples). A resample that contains one class only is NaN.
    """
    generator = np.random.default_rng(seed)
    rows = len(labels)
    ranked = [_ranked(labels, score) for score in scores]
    result = np.empty((len(scores), resamples))
    for start in range(0, resamples, BOOTSTRAP_CHUNK):
        size = min(BOOTSTRAP_CHUNK, resamples - start)
        counts = generator.multinomial(rows, np.full(rows, 1 / rows), size=size).astype(np.float64)
        for index, (order, ties, positive) in enumerate(ranked):
            result[index, start : start + size] = _weighted_auc(counts[:, order], ties, positive)
    return result


def interval(samples: np.ndarray) -> tuple[float, float]:
    """Computes the 95 % percentile interval (Efron and Tibshirani 1993, chapter 13).

    Args:
        samples: Bootstrap samples, float64 array of shape (resamples,).

    Returns:
        Lower and upper end. Both are NaN when any sample is, so that nothing is decided from an incomplete interval.
    """
    low, high = np.percentile(samples, [2.5, 97.5])
    return float(low), float(high)


def slices(
    labels: np.ndarray, probabilities: np.ndarray, values: Sequence[Any], minimum: int
) -> tuple[dict[str, SliceMetrics], dict[str, str]]:
    """Computes the metrics of the rows with each value of a field.

    Args:
        labels: Labels.
        probabilities: Probabilities.
        values: The field's value in each row.
        minimum: Rows that a slice needs.

    Returns:
        The metrics by value, and the reason for each value that has none.
    """
    names = np.array(["(missing)" if value is None else str(value) for value in values])
    measured: dict[str, SliceMetrics] = {}
    skipped: dict[str, str] = {}
    for name in sorted(set(names.tolist())):
        chosen = names == name
        rows, positive = int(chosen.sum()), int(labels[chosen].sum())
        if rows < minimum:
            skipped[name] = f"{rows} rows, fewer than {minimum}"
        elif positive in (0, rows):
            skipped[name] = f"all {rows} labels are {int(positive > 0)}"
        else:
            auc = float(roc_auc_score(labels[chosen], probabilities[chosen]))
            measured[name] = {"rows": rows, "auc": auc, "positive_rate": positive / rows}
    return measured, skipped


def calibration(labels: np.ndarray, probabilities: np.ndarray) -> list[CalibrationBin]:
    """Computes a reliability diagram with bins of equal width over [0, 1]. Empty bins are left out.

    Source: Niculescu-Mizil and Caruana, Predicting Good Probabilities with Supervised Learning (ICML 2005).
    """
    bins = np.minimum((probabilities * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    table: list[CalibrationBin] = []
    for index in range(CALIBRATION_BINS):
        chosen = bins == index
        if chosen.any():
            table.append(
                {
                    "from": index / CALIBRATION_BINS,
                    "to": (index + 1) / CALIBRATION_BINS,
                    "rows": int(chosen.sum()),
                    "predicted": float(probabilities[chosen].mean()),
                    "observed": float(labels[chosen].mean()),
                }
            )
    return table


def roc_points(labels: np.ndarray, probabilities: np.ndarray) -> list[tuple[float, float]]:
    """Computes (false positive rate, true positive rate), thinned to at most :data:`ROC_POINTS` points for a plot."""
    false_rate, true_rate, _ = roc_curve(labels, probabilities)
    indexes = np.unique(np.linspace(0, len(false_rate) - 1, ROC_POINTS).astype(int))
    return [(float(false_rate[index]), float(true_rate[index])) for index in indexes]


def _ranked(labels: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The order by score, the start of each group of tied scores, and the labels in that order."""
    order = np.argsort(score, kind="stable")
    ordered = score[order]
    ties = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    return order, ties, labels[order].astype(np.float64)


def _weighted_auc(counts: np.ndarray, ties: np.ndarray, positive: np.ndarray) -> np.ndarray:
    positives = np.add.reduceat(counts * positive, ties, axis=1)
    negatives = np.add.reduceat(counts * (1 - positive), ties, axis=1)
    below = np.cumsum(negatives, axis=1) - negatives / 2
    pairs = positives.sum(axis=1) * negatives.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (positives * below).sum(axis=1) / pairs
