"""Metrics of a binary classifier.

In every function, ``labels`` is an int array of shape (rows,) with 0 and 1, and ``probabilities`` a float64 array of
shape (rows,) with the probability of label 1.
"""

from __future__ import annotations

import numpy as np
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    log_loss,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

from include.model.evaluation import BinaryMetrics, CalibrationBin, Point

CALIBRATION_BINS = 10
CURVE_POINTS = 101


def measure(labels: np.ndarray, probabilities: np.ndarray, threshold: float) -> BinaryMetrics:
    """Computes the metrics of all rows, as scikit-learn defines them.

    See https://scikit-learn.org/stable/modules/model_evaluation.html. The Brier score is from Brier (1950), Monthly
    Weather Review 78.
    """
    predictions = probabilities >= threshold
    return {
        "auc": float(roc_auc_score(labels, probabilities)),
        "average_precision": float(average_precision_score(labels, probabilities)),
        "log_loss": float(log_loss(labels, probabilities)),
        "brier": float(brier_score_loss(labels, probabilities)),
        "accuracy": float((predictions == labels).mean()),
        "positive_rate": float(labels.mean()),
        "predicted_rate": float(predictions.mean()),
    }


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


def roc_points(labels: np.ndarray, probabilities: np.ndarray) -> list[Point]:
    """Computes (false positive rate, true positive rate), thinned to at most :data:`CURVE_POINTS` points for a plot."""
    false_rate, true_rate, _ = roc_curve(labels, probabilities)
    return _thinned(false_rate, true_rate)


def precision_recall_points(labels: np.ndarray, probabilities: np.ndarray) -> list[Point]:
    """Computes (recall, precision) by ascending recall, thinned to at most :data:`CURVE_POINTS` points for a plot."""
    precision, recall, _ = precision_recall_curve(labels, probabilities)
    return _thinned(recall[::-1], precision[::-1])


def _thinned(xs: np.ndarray, ys: np.ndarray) -> list[Point]:
    indexes = np.unique(np.linspace(0, len(xs) - 1, CURVE_POINTS).astype(int))
    return [(round(float(xs[index]), 6), round(float(ys[index]), 6)) for index in indexes]
