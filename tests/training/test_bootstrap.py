from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, average_precision_score, brier_score_loss, log_loss, roc_auc_score

from include.training import bootstrap


def _data(rows: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 2, rows).astype(np.int8)
    noisy = np.clip(labels * 0.2 + generator.normal(0.4, 0.2, rows), 0, 1)
    return labels, noisy, np.round(noisy, 1)  # the second has many ties


def test_bootstrap_auc_is_that_of_scikit_learn_on_the_same_resample():
    labels, *scores = _data()
    samples = bootstrap.bootstrap_auc(labels, scores, resamples=7, seed=3)
    counts = np.random.default_rng(3).multinomial(len(labels), np.full(len(labels), 1 / len(labels)), size=7)
    for index, score in enumerate(scores):
        expected = [roc_auc_score(labels, score, sample_weight=count) for count in counts]
        assert samples[index] == pytest.approx(expected, abs=1e-12)


def test_bootstrap_is_seeded_and_paired():
    labels, score, _ = _data()
    first = bootstrap.bootstrap_auc(labels, [score, score], 120, seed=1)
    assert (first == bootstrap.bootstrap_auc(labels, [score, score], 120, seed=1)).all()
    assert (first != bootstrap.bootstrap_auc(labels, [score, score], 120, seed=2)).any()
    assert bootstrap.interval(first[0] - first[1]) == (0.0, 0.0)


def test_resamples_that_are_kept_are_those_that_are_drawn_anew(monkeypatch: pytest.MonkeyPatch):
    labels, *scores = _data()
    twice = [bootstrap.bootstrap_auc(labels, scores, 120, seed=77) for _ in range(2)]
    monkeypatch.setattr(bootstrap, "KEPT_COUNTS", 0)
    anew = bootstrap.bootstrap_auc(labels, scores, 121, seed=77)[:, :120]
    assert (twice[0] == anew).all()
    assert (twice[1] == anew).all()


def test_the_interval_has_its_nominal_coverage():
    """Scores of two normal distributions one deviation apart: AUC = Phi(1 / sqrt 2) = 0.7602."""
    covered = 0
    for seed in range(100):
        generator = np.random.default_rng(seed)
        labels = np.repeat([0, 1], 100).astype(np.int8)
        low, high = bootstrap.interval(bootstrap.bootstrap_auc(labels, [generator.normal(labels, 1)], 200, seed)[0])
        covered += low <= 0.7602 <= high
    assert 88 <= covered <= 100


def test_a_resample_of_one_class_makes_the_interval_nan():
    labels = np.array([1] + [0] * 20, dtype=np.int8)
    assert np.isnan(bootstrap.interval(bootstrap.bootstrap_auc(labels, [np.linspace(0, 1, 21)], 100, 1)[0])).all()


def test_average_precision_is_that_of_scikit_learn_on_the_same_resample():
    labels, *scores = _data()
    samples = bootstrap.bootstrap_average_precision(labels, scores, resamples=7, seed=3)
    counts = np.random.default_rng(3).multinomial(len(labels), np.full(len(labels), 1 / len(labels)), size=7)
    for index, score in enumerate(scores):
        expected = [average_precision_score(labels, score, sample_weight=count) for count in counts]
        assert samples[index] == pytest.approx(expected, abs=1e-12)


def test_losses_are_those_of_scikit_learn_on_the_same_resample():
    labels, score, _ = _data()
    score[0], labels[0] = 1.0, 0  # certain and wrong
    samples = bootstrap.bootstrap_losses(labels, score, 0.5, resamples=60, seed=3)
    counts = np.random.default_rng(3).multinomial(len(labels), np.full(len(labels), 1 / len(labels)), size=50)
    assert {name: values.shape for name, values in samples.items()} == dict.fromkeys(samples, (60,))
    for index, count in enumerate(counts):
        assert samples["log_loss"][index] == pytest.approx(log_loss(labels, score, sample_weight=count))
        assert samples["brier"][index] == pytest.approx(brier_score_loss(labels, score, sample_weight=count))
        accuracy = accuracy_score(labels, score >= 0.5, sample_weight=count)
        assert samples["accuracy"][index] == pytest.approx(accuracy)
