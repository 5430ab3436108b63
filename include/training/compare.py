"""Compares candidate and champion on one test set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from include.model.evaluation import Comparison, ModelEvaluation
from include.training import bootstrap, metrics
from include.training.slicing import measure_slices
from include.workloads.training import SliceSpec


class NamedSlices(NamedTuple):
    """A slice field, and the name of each row's slice."""

    spec: SliceSpec
    names: np.ndarray


class Resampling(NamedTuple):
    """How intervals are computed."""

    resamples: int
    seed: int


def compare(
    labels: np.ndarray,
    scored: Mapping[str, np.ndarray],
    slices: Sequence[NamedSlices],
    *,
    thresholds: Mapping[str, float],
    resampling: Resampling,
) -> Comparison:
    """Measures each model, and the difference of the two.

    Args:
        labels: int8 array of shape (rows,).
        scored: Probabilities of label 1, float64 arrays of shape (rows,), of ``candidate`` and, if there is one,
            ``champion``.
        slices: The slice fields.
        thresholds: Threshold of each model's prediction.
        resampling: Number of bootstrap resamples, and their seed.
    """
    samples = dict(zip(scored, bootstrap.bootstrap_auc(labels, list(scored.values()), *resampling), strict=True))
    models = {
        role: _evaluate(labels, probabilities, samples[role], slices, thresholds[role], resampling)
        for role, probabilities in scored.items()
    }
    candidate = models["candidate"]
    if "champion" not in models:
        return {"candidate": candidate, "champion": None, "difference": None}
    low, high = bootstrap.interval(samples["candidate"] - samples["champion"])
    return {
        "candidate": candidate,
        "champion": models["champion"],
        "difference": {"auc": candidate["auc"] - models["champion"]["auc"], "low": low, "high": high},
    }


def _evaluate(
    labels: np.ndarray,
    probabilities: np.ndarray,
    auc_samples: np.ndarray,
    slices: Sequence[NamedSlices],
    threshold: float,
    resampling: Resampling,
) -> ModelEvaluation:
    low, high = bootstrap.interval(auc_samples)
    other = bootstrap.bootstrap_losses(labels, probabilities, threshold, *resampling)
    other["average_precision"] = bootstrap.bootstrap_average_precision(labels, [probabilities], *resampling)[0]
    intervals = {name: bootstrap.interval(samples) for name, samples in other.items()}
    measured = {
        spec.field: measure_slices(labels, probabilities, names, spec, **resampling._asdict()) for spec, names in slices
    }
    return {
        **metrics.measure(labels, probabilities, threshold),
        "auc_low": low,
        "auc_high": high,
        "intervals": {name: {"low": found[0], "high": found[1]} for name, found in intervals.items()},
        "rows": len(labels),
        "slices": {field: found for field, (found, _) in measured.items()},
        "slices_not_measured": {field: skipped for field, (_, skipped) in measured.items()},
        "calibration": metrics.calibration(labels, probabilities),
        "roc": metrics.roc_points(labels, probabilities),
        "precision_recall": metrics.precision_recall_points(labels, probabilities),
    }
