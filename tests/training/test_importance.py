from __future__ import annotations

import numpy as np
import pytest
from sklearn.inspection import permutation_importance as of_scikit_learn
from sklearn.linear_model import LogisticRegression

from include.model.score import Scorer
from include.training import importance

KINDS = {"noise": "number", "strong": "number", "weak": "number"}


def _fitted(rows: int = 2000) -> tuple[Scorer, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(4)
    matrix = generator.normal(size=(rows, 3))
    labels = (2 * matrix[:, 1] + 0.5 * matrix[:, 2] + generator.normal(size=rows) > 0).astype(np.int8)
    model = LogisticRegression().fit(matrix, labels)
    return Scorer(lambda record: record, KINDS, {}, model, 0.5), matrix, labels


def test_importance_ranks_as_scikit_learn_does():
    scorer, matrix, labels = _fitted()
    found = importance.permutation_importance(scorer, matrix, labels, seed=1)
    assert found is not None and (found["rows"], found["repeats"]) == (2000, importance.REPEATS)
    assert [entry["feature"] for entry in found["features"]] == ["strong", "weak", "noise"]
    expected = of_scikit_learn(scorer.model, matrix, labels, scoring="roc_auc", n_repeats=20, random_state=0)
    mean = dict(zip(KINDS, expected.importances_mean, strict=True))
    for entry in found["features"]:
        assert entry["drop"] == pytest.approx(mean[entry["feature"]], abs=0.03)
    assert found == importance.permutation_importance(scorer, matrix, labels, seed=1)


def test_the_number_of_rows_that_are_scored_is_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importance, "SCORED_ROWS", 900)
    scorer, matrix, labels = _fitted()
    scored = 0
    original = scorer.score

    def score(rows: np.ndarray) -> np.ndarray:
        nonlocal scored
        scored += len(rows)
        return original(rows)

    monkeypatch.setattr(scorer, "score", score)
    found = importance.permutation_importance(scorer, matrix, labels, seed=1)
    assert found is not None and found["rows"] == 100
    assert scored == 900 + 100


def test_rows_of_one_class_have_no_importance():
    scorer, matrix, labels = _fitted()
    chosen = labels == 1
    assert importance.permutation_importance(scorer, matrix[chosen], labels[chosen], seed=1) is None
