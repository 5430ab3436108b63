"""XGBoost's numbers at their limits: its margin before the first tree, and the conditions of its splits."""

from __future__ import annotations

import math

import numpy as np
import pytest

from include.model.engines import native_model, xgboost_trees
from include.model.engines.ladder import choose_engine
from include.training import estimators
from tests.support.fitted_models import fitted
from tests.support.xgboost_native import assert_equal


def test_the_largest_float64_that_is_rounded_below_a_condition():
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2**32, 5000, dtype=np.uint32).view(np.float32)
    most = float(np.finfo(np.float32).max)
    edges = np.array([0.0, -0.0, 1e-45, -1e-45, 1.0, 2.0, most, -most, math.inf], np.float32)
    conditions = np.concatenate([bits[~np.isnan(bits)], edges])
    found = xgboost_trees.largest_below(conditions)
    with np.errstate(over="ignore"):
        assert (found.astype(np.float32) < conditions).all()
        assert not (np.nextafter(found, np.inf).astype(np.float32) < conditions).any()
    assert xgboost_trees.largest_below(np.array([-math.inf], np.float32)) == [-math.inf]  # nothing is below it


def test_infinite_conditions_and_the_largest_float32(load):
    """XGBoost's cuts are infinite where values are more than half of the largest float32."""
    rng = np.random.default_rng(1)
    matrix = rng.uniform(-3.4e38, 3.4e38, (5000, 2))
    matrix[:2500, 1] = rng.choice([-1, 1], 2500) * float(np.finfo(np.float32).max)
    matrix[rng.random(matrix.shape) < 0.3] = math.nan
    labels = (np.isnan(matrix[:, 0]) ^ (rng.random(5000) < 0.1)).astype(np.int8)
    estimator = estimators.make("xgboost", {"a": "number", "b": "number"}, 1, {"n_estimators": 10})
    estimators.fit(estimator, matrix, labels)
    assert "Infinity" in estimator.get_booster().save_raw("json").decode()
    between = 2.0**128 - 2.0**103  # the least float64 that is rounded to an infinite float32
    edges = [3.4e38, 3.4028235e38, math.nextafter(between, 0), between, 1e300, math.inf]
    with np.errstate(over="ignore"):
        assert_equal(load(estimator), estimator, np.array([[a, b] for a in edges for b in (*edges, math.nan)]))
        assert_equal(load(estimator), estimator, -np.array([[a, b] for a in edges for b in (*edges, math.nan)]))
        assert_equal(load(estimator), estimator, matrix)
        if native_model.nightjar_walk:
            result = choose_engine(estimator, matrix, matrix[:20], categories={}, threshold=0.5, seed=1)
            assert (result.engine, result.parity[0].max_difference) == ("native", 0)


@pytest.mark.parametrize("base_score", [0.6151543259620667, 0.36966559290885925, 1e-9, 0.99999999, 0.5])
def test_the_margin_before_the_first_tree_is_xgboosts(load, base_score):
    """XGBoost limits it to 1e-6 and 1 - 1e-6, and computes in float32."""
    matrix = fitted("xgboost").matrix
    labels = (matrix[:, 0] > 0).astype(np.int8)
    kinds = dict.fromkeys("abcde", "number")
    # No split gains so much, and no leaf weighs: what is left is the margin before the first tree.
    parameters = {"n_estimators": 1, "gamma": 1e30, "reg_alpha": 1e30, "base_score": base_score}
    estimator = estimators.make("xgboost", kinds, 1, parameters)
    estimators.fit(estimator, matrix, labels)
    ensemble = xgboost_trees.read(estimator)
    assert ensemble is not None
    assert ensemble.offset == estimator.predict(matrix[:1], output_margin=True)[0]
    assert_equal(load(estimator), estimator, matrix)


@pytest.mark.parametrize("seed", [*range(4), 15])  # 15: a rounded float64 logarithm is another float32 than logf's
def test_no_bit_differs_whatever_the_share_of_the_label(load, seed):
    """XGBoost makes the base score from the rows."""
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(int(rng.integers(500, 3000)), 1))
    labels = (matrix[:, 0] + rng.normal(size=len(matrix)) * 2 > rng.normal()).astype(np.int8)
    estimator = estimators.make("xgboost", {"a": "number"}, 1, {"n_estimators": 5, "max_depth": 3})
    estimators.fit(estimator, matrix, labels)
    assert_equal(load(estimator), estimator, matrix)
