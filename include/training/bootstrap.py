"""Intervals of metrics by a seeded, paired bootstrap.

Each resample of the rows (with replacement, as counts from a multinomial) is used for every model, so the difference
of two models' samples is the bootstrap distribution of the difference. Source: Efron and Tibshirani, An Introduction to
the Bootstrap (1993), chapters 6 and 13.

In every function, ``labels`` is an int array of shape (rows,) with 0 and 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

CHUNK = 50  # resamples that are in memory at a time
# A comparison has several metrics of two models, all on the same resamples of the same rows, and drawing them takes
# longer than the metrics. So the counts of rows are kept, each of two bytes, up to this many: 128 MiB.
KEPT_COUNTS = 1 << 26
PROBABILITY_FLOOR = np.finfo(np.float64).eps  # as in scikit-learn's log_loss


def bootstrap_auc(labels: np.ndarray, scores: Sequence[np.ndarray], resamples: int, seed: int) -> np.ndarray:
    """Computes the AUC of each score on each resample.

    The AUC of a resample is the Mann-Whitney statistic, ties counted half: Hanley and McNeil, Radiology 143 (1982).

    Args:
        labels: Labels.
        scores: Probabilities of each model.
        resamples: Number of resamples.
        seed: Seed of the resamples.

    Returns:
        float64 array of shape (scores, resamples). A resample that contains one class only is NaN.
    """
    return _bootstrap(_weighted_auc, labels, scores, resamples, seed)


def bootstrap_average_precision(
    labels: np.ndarray, scores: Sequence[np.ndarray], resamples: int, seed: int
) -> np.ndarray:
    """Computes the average precision of each score on each resample; as :func:`bootstrap_auc`."""
    return _bootstrap(_weighted_average_precision, labels, scores, resamples, seed)


def bootstrap_losses(
    labels: np.ndarray, probabilities: np.ndarray, threshold: float, resamples: int, seed: int
) -> dict[str, np.ndarray]:
    """Computes the metrics that are means over rows, on each resample.

    Args:
        labels: Labels.
        probabilities: Probabilities of one model.
        threshold: Probability from which the prediction is 1.
        resamples: Number of resamples.
        seed: Seed of the resamples.

    Returns:
        ``log_loss``, ``brier`` and ``accuracy``: float64 arrays of shape (resamples,).
    """
    certain = np.clip(probabilities, PROBABILITY_FLOOR, 1 - PROBABILITY_FLOOR)
    losses = {
        "log_loss": -np.log(np.where(labels == 1, certain, 1 - certain)),
        "brier": (probabilities - labels) ** 2,
        "accuracy": ((probabilities >= threshold) == labels).astype(np.float64),
    }
    stacked = np.column_stack([*losses.values()])
    samples = np.vstack([counts @ stacked / len(labels) for _, counts in _resamples(len(labels), resamples, seed)])
    return dict(zip(losses, samples.T, strict=True))


def interval(samples: np.ndarray) -> tuple[float, float]:
    """Computes the 95 % percentile interval (Efron and Tibshirani 1993, chapter 13).

    Args:
        samples: Bootstrap samples, float64 array of shape (resamples,).

    Returns:
        Lower and upper end. Both are NaN when any sample is, so that nothing is decided from an incomplete interval.
    """
    low, high = np.percentile(samples, [2.5, 97.5])
    return float(low), float(high)


# Counts of rows (resamples, rows) by ascending score, starts of tied groups, labels → the metric of each resample.
_Statistic = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def _bootstrap(
    statistic: _Statistic, labels: np.ndarray, scores: Sequence[np.ndarray], resamples: int, seed: int
) -> np.ndarray:
    ranked = [_ranked(labels, score) for score in scores]
    result = np.empty((len(scores), resamples))
    for start, counts in _resamples(len(labels), resamples, seed):
        for index, (order, ties, positive) in enumerate(ranked):
            result[index, start : start + len(counts)] = statistic(counts[:, order], ties, positive)
    return result


# By rows, resamples and seed. None is dropped for another: each model is measured on all slices in turn, so what is
# dropped would always be drawn anew.
_kept: dict[tuple[int, int, int], list[tuple[int, np.ndarray]]] = {}


def _resamples(rows: int, resamples: int, seed: int) -> Iterator[tuple[int, np.ndarray]]:
    """Iterates over chunks: the index of the first resample, and how often each row is in each, (chunk, rows)."""
    key = rows, resamples, seed
    if key not in _kept and _may_be_kept(rows, resamples):
        _kept[key] = [(start, counts.astype(np.uint16)) for start, counts in _drawn(*key)]
    for start, counts in _kept[key] if key in _kept else _drawn(*key):
        yield start, counts.astype(np.float64)


def _may_be_kept(rows: int, resamples: int) -> bool:
    counts = sum(kept_rows * kept_resamples for kept_rows, kept_resamples, _ in _kept)
    return rows <= np.iinfo(np.uint16).max and counts + rows * resamples <= KEPT_COUNTS


def _drawn(rows: int, resamples: int, seed: int) -> Iterator[tuple[int, np.ndarray]]:
    generator = np.random.default_rng(seed)
    for start in range(0, resamples, CHUNK):
        size = min(CHUNK, resamples - start)
        yield start, generator.multinomial(rows, np.full(rows, 1 / rows), size=size)


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


def _weighted_average_precision(counts: np.ndarray, ties: np.ndarray, positive: np.ndarray) -> np.ndarray:
    positives = np.add.reduceat(counts * positive, ties, axis=1)
    chosen = np.add.reduceat(counts, ties, axis=1)[:, ::-1].cumsum(axis=1)
    true = positives[:, ::-1].cumsum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        # No row above a threshold: no positive row there either, so the term counts nothing.
        precision = np.where(chosen > 0, true / chosen, 0.0)
        average: np.ndarray = (positives[:, ::-1] * precision).sum(axis=1) / true[:, -1]
    return average
