"""Compares candidate and champion on one test set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from include.model.evaluation import Comparison, ModelEvaluation
from include.training import metrics


def compare(
    labels: np.ndarray,
    scored: Mapping[str, np.ndarray],
    slice_values: Sequence[Any],
    *,
    thresholds: Mapping[str, float],
    minimum: int,
    resamples: int,
    seed: int,
) -> Comparison:
    """Measures each model, and the difference of the two.

    Args:
        labels: int8 array of shape (rows,).
        scored: Probabilities of label 1, float64 arrays of shape (rows,), of ``candidate`` and, if there is one,
            ``champion``.
        slice_values: Value of the slice field in each row.
        thresholds: Threshold of each model's prediction.
        minimum: Rows that a slice needs to be measured.
        resamples: Number of bootstrap resamples.
        seed: Seed of the bootstrap.
    """
    samples = dict(zip(scored, metrics.bootstrap_auc(labels, list(scored.values()), resamples, seed), strict=True))
    models = {
        role: _evaluate(labels, probabilities, samples[role], slice_values, thresholds[role], minimum)
        for role, probabilities in scored.items()
    }
    candidate = models["candidate"]
    if "champion" not in models:
        return {"candidate": candidate, "champion": None, "difference": None}
    low, high = metrics.interval(samples["candidate"] - samples["champion"])
    return {
        "candidate": candidate,
        "champion": models["champion"],
        "difference": {"auc": candidate["auc"] - models["champion"]["auc"], "low": low, "high": high},
    }


def _evaluate(
    labels: np.ndarray,
    probabilities: np.ndarray,
    auc_samples: np.ndarray,
    slice_values: Sequence[Any],
    threshold: float,
    minimum: int,
) -> ModelEvaluation:
    low, high = metrics.interval(auc_samples)
    measured, skipped = metrics.slices(labels, probabilities, slice_values, minimum)
    return {
        **metrics.measure(labels, probabilities, threshold),
        "auc_low": low,
        "auc_high": high,
        "rows": len(labels),
        "slices": measured,
        "slices_not_measured": skipped,
        "calibration": metrics.calibration(labels, probabilities),
    }
