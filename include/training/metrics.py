"""Metrics of a binary classifier, with a seeded bootstrap. Arrays are (rows,); labels 0 or 1, probabilities of label 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score, roc_curve

BOOTSTRAP_CHUNK = 50
CALIBRATION_BINS = 10
ROC_POINTS = 101


def measure(labels: np.ndarray, probabilities: np.ndarray, threshold: float) -> dict[str, float]:
    """``auc, log_loss, brier, accuracy, positive_rate`` (of the labels) and ``predicted_rate`` (of the predictions)."""
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
    """AUC of each score on each resample: float64 (scores, resamples).

    Paired: one resample of the rows (with replacement, as counts from a multinomial) is used for every score, so that the
    difference of two rows of the result is the bootstrap distribution of the difference. Efron and Tibshirani, An Introduction
    to the Bootstrap (1993), chapters 6 and 13 (percentile interval). The AUC of a resample is the Mann-Whitney statistic with
    ties counted half. A resample with one class only gives NaN.
    """
    generator = np.random.default_rng(seed)
    rows = len(labels)
    prepared = [_ranked(labels, score) for score in scores]
    result = np.empty((len(scores), resamples))
    for start in range(0, resamples, BOOTSTRAP_CHUNK):
        size = min(BOOTSTRAP_CHUNK, resamples - start)
        counts = generator.multinomial(rows, np.full(rows, 1 / rows), size=size).astype(np.float64)
        for place, (order, ties, positive) in enumerate(prepared):
            result[place, start : start + size] = _weighted_auc(counts[:, order], ties, positive)
    return result


def interval(samples: np.ndarray) -> tuple[float, float]:
    """The 95 % percentile interval; NaN when any sample is, so that nothing is decided from it."""
    low, high = np.percentile(samples, [2.5, 97.5])
    return float(low), float(high)


def slices(
    labels: np.ndarray, probabilities: np.ndarray, values: Sequence[Any], minimum: int
) -> tuple[dict[str, Any], dict[str, str]]:
    """``({value: {rows, auc, positive_rate}}, {value: why it is not judged})``."""
    names = np.array(["(missing)" if value is None else str(value) for value in values])
    judged: dict[str, Any] = {}
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
            judged[name] = {"rows": rows, "auc": auc, "positive_rate": positive / rows}
    return judged, skipped


def calibration(labels: np.ndarray, probabilities: np.ndarray) -> list[dict[str, float]]:
    """Bins of equal width over [0, 1]: mean predicted probability against the observed rate. Empty bins are left out."""
    bins = np.minimum((probabilities * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    table = []
    for place in range(CALIBRATION_BINS):
        chosen = bins == place
        if chosen.any():
            table.append(
                {
                    "from": place / CALIBRATION_BINS,
                    "to": (place + 1) / CALIBRATION_BINS,
                    "rows": int(chosen.sum()),
                    "predicted": float(probabilities[chosen].mean()),
                    "observed": float(labels[chosen].mean()),
                }
            )
    return table


def roc_points(labels: np.ndarray, probabilities: np.ndarray) -> list[tuple[float, float]]:
    """(false positive rate, true positive rate), thinned to at most :data:`ROC_POINTS` for a plot."""
    false_rate, true_rate, _ = roc_curve(labels, probabilities)
    places = np.unique(np.linspace(0, len(false_rate) - 1, ROC_POINTS).astype(int))
    return [(float(false_rate[place]), float(true_rate[place])) for place in places]


def _ranked(labels: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Order by score, where each group of tied scores begins, and the labels in that order."""
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
