from __future__ import annotations

import numpy as np
import pytest

from include.training import estimators, hyperparameters
from include.training.container import JobError
from tests.support.bundles import dump

KINDS = {"size": "number", "colour": "category", "empty": "number"}


def _rows() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(1)
    matrix = np.column_stack([generator.normal(size=400), generator.integers(0, 3, 400), np.full(400, np.nan)]).astype(
        float
    )
    labels = (matrix[:, 0] + matrix[:, 1] > 1).astype(np.int8)
    matrix[generator.random(400) < 0.1, 0] = np.nan
    matrix[generator.random(400) < 0.1, 1] = np.nan
    return matrix, labels


@pytest.mark.parametrize("kind", estimators.REGISTRY)
def test_each_kind_learns_accepts_missing_values_and_is_deterministic(kind: str):
    matrix, labels = _rows()
    first, second = (estimators.make(kind, KINDS, 13, {}) for _ in range(2))
    for model in (first, second):
        estimators.fit(model, matrix, labels)
    assert (first.predict(matrix) == labels).mean() > 0.8
    odd = np.array([[np.nan, np.nan, np.nan], [0.3, 2.0, 5.0]])
    assert np.isfinite(first.predict_proba(odd)).all()
    assert (first.predict_proba(matrix) == second.predict_proba(matrix)).all()
    # A pickle that named a module of the project could not be loaded after that module moves.
    assert b"include" not in dump(first) and b"sklearn" in dump(first)


def test_kinds_that_use_a_gpu_are_kinds():
    assert set(estimators.REGISTRY) >= estimators.GPU_KINDS


def test_logistic_regression_accepts_features_of_one_kind_only():
    matrix, labels = _rows()
    model = estimators.make("logistic_regression", {"size": "number", "empty": "number"}, 1, {})
    assert np.isfinite(model.fit(matrix[:, [0, 2]], labels).predict_proba(matrix[:, [0, 2]])).all()


def test_an_unknown_kind_and_unknown_hyperparameters_are_named():
    with pytest.raises(JobError, match=r"'magic' is unknown. Choose one of hist_gradient_boosting"):
        estimators.make("magic", KINDS, 1, {})
    with pytest.raises(JobError, match="learning_rat"):
        estimators.make("hist_gradient_boosting", KINDS, 1, {"learning_rat": 0.1})


def test_sagemakers_strings_become_values():
    given = {"a": "0.1", "b": "200", "c": "true", "d": "null", "e": "sqrt"}
    assert hyperparameters.parse(given) == {"a": 0.1, "b": 200, "c": True, "d": None, "e": "sqrt"}
