from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from include.training import metrics


def _data(rows: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 2, rows).astype(np.int8)
    noisy = np.clip(labels * 0.2 + generator.normal(0.4, 0.2, rows), 0, 1)
    return labels, noisy, np.round(noisy, 1)  # the second has many ties


def test_bootstrap_auc_is_that_of_scikit_learn_on_the_same_resample():
    labels, *scores = _data()
    samples = metrics.bootstrap_auc(labels, scores, resamples=7, seed=3)
    counts = np.random.default_rng(3).multinomial(len(labels), np.full(len(labels), 1 / len(labels)), size=7)
    for index, score in enumerate(scores):
        expected = [roc_auc_score(labels, score, sample_weight=count) for count in counts]
        assert samples[index] == pytest.approx(expected, abs=1e-12)


def test_bootstrap_is_seeded_and_paired():
    labels, score, _ = _data()
    first = metrics.bootstrap_auc(labels, [score, score], 120, seed=1)
    assert (first == metrics.bootstrap_auc(labels, [score, score], 120, seed=1)).all()
    assert (first != metrics.bootstrap_auc(labels, [score, score], 120, seed=2)).any()
    assert metrics.interval(first[0] - first[1]) == (0.0, 0.0)


def test_the_interval_has_its_nominal_coverage():
    """Scores of two normal distributions one deviation apart: AUC = Phi(1 / sqrt 2) = 0.7602."""
    covered = 0
    for seed in range(100):
        generator = np.random.default_rng(seed)
        labels = np.repeat([0, 1], 100).astype(np.int8)
        low, high = metrics.interval(metrics.bootstrap_auc(labels, [generator.normal(labels, 1)], 200, seed)[0])
        covered += low <= 0.7602 <= high
    assert 88 <= covered <= 100


def test_a_resample_of_one_class_makes_the_interval_nan():
    labels = np.array([1] + [0] * 20, dtype=np.int8)
    assert np.isnan(metrics.interval(metrics.bootstrap_auc(labels, [np.linspace(0, 1, 21)], 100, 1)[0])).all()


def test_a_slice_needs_a_minimum_size_and_both_classes():
    labels = np.array([0, 1, 0, 1, 1, 1, 0], dtype=np.int8)
    values = ["a", "a", "a", "b", "b", "b", None]
    measured, skipped = metrics.slices(labels, np.array([0.1, 0.9, 0.2, 0.5, 0.6, 0.7, 0.3]), values, minimum=3)
    assert measured == {"a": {"rows": 3, "auc": 1.0, "positive_rate": pytest.approx(1 / 3)}}
    assert skipped == {"b": "all 3 labels are 1", "(missing)": "1 rows, fewer than 3"}


def test_calibration_counts_every_row_once():
    labels, score, _ = _data()
    table = metrics.calibration(labels, np.r_[score[:-1], 1.0])
    assert sum(bin_["rows"] for bin_ in table) == len(labels)
    assert all(bin_["from"] <= bin_["predicted"] <= bin_["to"] for bin_ in table)


def test_roc_ends_at_both_corners():
    labels, score, _ = _data()
    points = metrics.roc_points(labels, score)
    assert points[0] == (0.0, 0.0) and points[-1] == (1.0, 1.0) and len(points) <= metrics.ROC_POINTS
