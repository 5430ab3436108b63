from __future__ import annotations

import numpy as np
from sklearn.metrics import precision_recall_curve

from include.training import metrics


def _data(rows: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 2, rows).astype(np.int8)
    noisy = np.clip(labels * 0.2 + generator.normal(0.4, 0.2, rows), 0, 1)
    return labels, noisy, np.round(noisy, 1)  # the second has many ties


def test_calibration_counts_every_row_once():
    labels, score, _ = _data()
    table = metrics.calibration(labels, np.r_[score[:-1], 1.0])
    assert sum(bin_["rows"] for bin_ in table) == len(labels)
    assert all(bin_["from"] <= bin_["predicted"] <= bin_["to"] for bin_ in table)


def test_roc_ends_at_both_corners():
    labels, score, _ = _data()
    points = metrics.roc_points(labels, score)
    assert points[0] == (0.0, 0.0) and points[-1] == (1.0, 1.0) and len(points) <= metrics.CURVE_POINTS


def test_precision_and_recall_are_thinned_by_ascending_recall():
    labels, score, _ = _data()
    points = metrics.precision_recall_points(labels, score)
    precision, recall, _ = precision_recall_curve(labels, score)
    assert len(points) <= metrics.CURVE_POINTS
    assert points == sorted(points, key=lambda point: point[0])
    assert points[0] == (0.0, 1.0) and points[-1] == (1.0, round(float(precision[0]), 6))
    exact = {(round(float(x), 6), round(float(y), 6)) for x, y in zip(recall, precision, strict=True)}
    assert exact.issuperset(points)
