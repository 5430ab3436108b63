"""XGBoost's trees in the fast engines: its own numbers, and what an engine that cannot have them says."""

from __future__ import annotations

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest

from include.model.engines import boosted_form, native_model, xgboost_trees
from include.model.engines.inputs import InputSpec
from include.model.engines.ladder import LADDER
from include.model.engines.native_model import NativeModel
from include.model.tolerances import PROBABILITY_TOLERANCE
from include.training import estimators
from tests.support.compiled import needs_compiled
from tests.support.fitted_models import chosen, fitted
from tests.support.xgboost_native import DIGIT, assert_equal, write

NATIVE, ONNX, TREELITE = LADDER
MODELS = [
    "xgboost",
    "xgboost, categories",
    "xgboost, one code or all others",
    "xgboost, pruned",
    "xgboost, one tree",
    "xgboost, no split",
]


@pytest.mark.parametrize("name", MODELS)
def test_every_probability_is_xgboosts(load, name):
    kept = fitted(name)
    native = load(kept.estimator)
    assert_equal(native, kept.estimator, kept.matrix)
    assert native.predict_proba(kept.matrix[:0]).shape == (0, 2)


def test_values_on_and_next_to_thresholds_infinities_and_both_zeros(load):
    kept = fitted("xgboost")
    ensemble = xgboost_trees.read(kept.estimator)
    assert ensemble is not None
    column = np.concatenate([tree.threshold[~tree.leaf & (tree.feature == 0)] for tree in ensemble.trees])
    narrow = column.astype(np.float32)
    both = np.concatenate([narrow, np.nextafter(narrow, np.float32(-9)), np.nextafter(narrow, np.float32(9))])
    edges = np.concatenate([column, np.nextafter(column, -np.inf), np.nextafter(column, np.inf), both])
    matrix = np.resize(kept.matrix, (len(edges) + 7, 5))
    matrix[:, 0] = [*edges, math.inf, -math.inf, 0.0, -0.0, 1e300, 1e-320, math.nan]
    assert_equal(load(kept.estimator), kept.estimator, matrix)


@pytest.mark.parametrize("value", [4.0, 120.0, 250.0, 1e6, 1e300, math.inf, -math.inf, -1.0, math.nan])
def test_a_code_that_training_never_saw_goes_where_xgboost_sends_it(load, value):
    kept = fitted("xgboost, categories")
    matrix = kept.matrix[:50].copy()
    matrix[:, 1] = matrix[:, 3] = value
    assert_equal(load(kept.estimator), kept.estimator, matrix)


def test_splits_of_one_set_that_send_missing_values_both_ways(load):
    """Twice the same two categories: once missing rows are like the first one, once like the second."""
    matrix = np.repeat(np.array([[0.0, 0.0], [1.0, 1.0], [math.nan, math.nan]]), 200, axis=0)
    matrix[::2, 0], matrix[1::2, 1] = 0.0, 0.0
    labels = np.where(np.isnan(matrix[:, 0]) | (matrix[:, 1] == 1), 1, 0)
    estimator = estimators.make("xgboost", {"a": "category", "b": "category"}, 1, {"n_estimators": 20})
    estimators.fit(estimator, matrix, labels.astype(np.int8))
    ensemble = xgboost_trees.read(estimator)
    assert ensemble is not None
    rows = np.array([[a, b] for a in (0.0, 1.0, math.nan) for b in (0.0, 1.0, math.nan)])
    assert_equal(load(estimator), estimator, rows)


@pytest.mark.parametrize("seed", range(6))
def test_random_models_of_random_shapes(load, seed):
    rng = np.random.default_rng(seed)
    width = int(rng.integers(1, 9))
    counts = rng.integers(2, 250, width)
    kinds = {f"f{index}": str(rng.choice(["number", "category"])) for index in range(width)}
    matrix = rng.normal(size=(3000, width)) * 10.0 ** rng.integers(-20, 20, width)
    for index, kind in enumerate(kinds.values()):
        if kind == "category":
            matrix[:, index] = rng.integers(0, counts[index], len(matrix))
    labels = (rng.normal(size=len(matrix)) + (matrix[:, 0] > np.median(matrix[:, 0])) > 0.5).astype(np.int8)
    matrix[rng.random(matrix.shape) < rng.choice([0.0, 0.2, 0.9])] = math.nan
    parameters = {
        "n_estimators": int(rng.integers(1, 60)),
        "max_depth": int(rng.integers(1, 12)),
        "learning_rate": float(rng.choice([0.01, 0.3, 1.0])),
        "subsample": 0.8,
        "grow_policy": str(rng.choice(["depthwise", "lossguide"])),
        "base_score": float(rng.uniform(0.01, 0.99)),
    }
    estimator = estimators.make("xgboost", kinds, seed, parameters)
    estimators.fit(estimator, matrix[:2000], labels[:2000])
    assert_equal(load(estimator), estimator, matrix[2000:])


@needs_compiled
@pytest.mark.parametrize("name", MODELS)
def test_the_parity_gate_chooses_native_and_no_bit_differs(name):
    result = chosen(name)
    assert result.engine == "native" and list(result.files) == ["model.native"]
    (parity,) = result.parity
    assert parity.passed and parity.max_difference == 0 and parity.flipped == 0
    assert parity.on_threshold > 0 or name == "xgboost, no split"
    assert chosen(name).files == result.files
    assert result.inputs == InputSpec(dtype="float32", finite=(False,) * 5, missing=True)


@pytest.mark.parametrize("step", [ONNX, TREELITE], ids=["onnxruntime", "treelite"])
@pytest.mark.parametrize("name", [*MODELS, "xgboost, many thresholds"])
def test_the_next_engines_serve_it_within_the_tolerance(name, step):
    result = chosen(name, [step])
    assert result.engine == step.engine, result.parity
    (parity,) = result.parity
    assert parity.max_difference is not None and parity.max_difference <= PROBABILITY_TOLERANCE
    assert parity.flipped == 0


def test_with_no_fast_engine_the_library_serves_it():
    result = chosen("xgboost, categories", [])
    assert (result.engine, result.files, result.inputs) == ("scikit-learn", {}, None)


@needs_compiled
def test_more_thresholds_than_native_ranks_are_left_to_the_next_engine():
    result = chosen("xgboost, many thresholds")
    assert result.engine == "onnxruntime"
    assert "thresholds of a feature are more than the 255" in str(result.parity[0].reason)


def test_the_defaults_have_no_more_thresholds_than_native_ranks():
    """A split that tells missing values from all others has the last of a feature's thresholds."""
    rng = np.random.default_rng(0)
    matrix, labels = rng.normal(size=(6000, 1)), rng.integers(0, 2, 6000).astype(np.int8)
    matrix[rng.random(6000) < 0.1] = math.nan
    labels[np.isnan(matrix[:, 0])] = 1
    estimator = estimators.make("xgboost", {"a": "number"}, 1, {"max_depth": 12, "min_child_weight": 0})
    estimators.fit(estimator, matrix, labels)
    ensemble = xgboost_trees.read(estimator)
    assert ensemble is not None
    found = np.unique(np.concatenate([tree.threshold[~tree.leaf] for tree in ensemble.trees]))
    assert 250 < len(found) <= boosted_form.LEAF


def test_an_extension_of_an_earlier_release_is_not_given_it(monkeypatch, tmp_path, caplog):
    monkeypatch.setattr(native_model, "nightjar_walk", SimpleNamespace(LANES=16, BOOSTED=1))
    result = chosen("xgboost, categories")
    reason = "is of an earlier release, which has no sums in float32"
    assert result.engine == "onnxruntime" and reason in str(result.parity[0].reason)
    kept = fitted("xgboost, categories")
    expected = kept.estimator.predict_proba(kept.matrix[:5])[:, 1]
    found = NativeModel(*write(kept.estimator, tmp_path)).predict_proba(kept.matrix[:5])[:, 1]
    np.testing.assert_allclose(found, expected, rtol=DIGIT)
    assert reason in caplog.text


def test_a_release_that_cannot_sum_in_float32_refuses_the_file(tmp_path):
    """Earlier releases take values and offset of float64 only, so they refuse it when it is loaded."""
    path, _ = write(fitted("xgboost").estimator, tmp_path)
    with np.load(path) as arrays:
        assert (arrays["values"].dtype, arrays["offset"].dtype) == (np.float32, np.float32)
        parts = {name: arrays[name] for name in arrays}
    np.savez(tmp_path / "mixed.npz", **{**parts, "offset": parts["offset"].astype(np.float64)})
    with pytest.raises(ValueError, match="an array has another type or shape"):
        boosted_form.read(tmp_path / "mixed.npz", 5)


def test_another_objective_is_refused():
    estimator = estimators.make("xgboost", {"a": "number"}, 1, {"n_estimators": 1}).set_params(objective="reg:logistic")
    estimator.fit(np.arange(8.0).reshape(-1, 1), np.arange(8) % 2)
    with pytest.raises(ValueError, match="reg:logistic is not one of trees for a binary label"):
        xgboost_trees.read(estimator)


def test_the_model_document_is_that_of_a_booster_with_missing_branches_of_both_kinds():
    """What the other tests rest on: splits on categories and on numbers send missing values both ways."""
    document = json.loads(fitted("xgboost, categories").estimator.get_booster().save_raw("json"))
    found = set()
    for tree in document["learner"]["gradient_booster"]["model"]["trees"]:
        for left, kind, missing in zip(tree["left_children"], tree["split_type"], tree["default_left"], strict=True):
            found |= {(kind, missing)} if left >= 0 else set()
    assert found == {(0, 0), (0, 1), (1, 0), (1, 1)}
