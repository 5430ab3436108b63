"""Boosted trees in the engine ``native``: scikit-learn's numbers, bit for bit, and refusals."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from include.model.engines import boosted_form, native_model, trees
from include.model.engines.inputs import InputSpec, probe_inputs
from include.model.engines.native_model import NativeModel
from include.model.engines.sklearn_model import SklearnModel
from include.model.engines.trees import Ensemble, Tree
from tests.support.compiled import needs_compiled
from tests.support.fitted_models import chosen, fitted

BOOSTED = ["boosting", "boosting, categories", "boosting, no preprocessor"]
WALKS = [pytest.param("compiled", marks=needs_compiled), "numpy"]


def _write(estimator: Any, folder: Path) -> tuple[Path, InputSpec]:
    ensemble = trees.read(estimator)
    assert ensemble is not None
    path = folder / "model.native"
    boosted_form.write(ensemble, path)
    return path, probe_inputs(estimator, ensemble.features)


@pytest.fixture(params=WALKS)
def load(request, monkeypatch, tmp_path) -> Callable[[Any], NativeModel]:
    """Loads the form of an estimator, to be walked by the extension or by NumPy."""
    if request.param == "numpy":
        monkeypatch.setattr(native_model, "nightjar_walk", None)
    return lambda estimator: NativeModel(*_write(estimator, tmp_path))


def _assert_equal(native: NativeModel, estimator: Any, matrix: np.ndarray) -> None:
    expected = estimator.predict_proba(matrix)
    np.testing.assert_array_equal(native.predict_proba(matrix), expected)
    np.testing.assert_array_equal([native.one(row) for row in matrix.tolist()], expected[:, 1])


@pytest.mark.parametrize("name", BOOSTED)
def test_every_probability_is_scikit_learns(load, name):
    kept = fitted(name)
    native = load(kept.estimator)
    _assert_equal(native, kept.estimator, kept.matrix)
    assert native.predict_proba(kept.matrix[:0]).shape == (0, 2)


def test_values_on_and_next_to_thresholds_infinities_and_both_zeros(load):
    kept = fitted("boosting, no preprocessor")
    ensemble = trees.read(kept.estimator)
    assert ensemble is not None
    column = np.concatenate([tree.threshold[~tree.leaf & (tree.feature == 0)] for tree in ensemble.trees])
    edges = np.concatenate([column, np.nextafter(column, -np.inf), np.nextafter(column, np.inf)])
    matrix = np.resize(kept.matrix, (len(edges) + 5, 5))
    matrix[:, 0] = [*edges, math.inf, -math.inf, 0.0, -0.0, math.nan]
    _assert_equal(load(kept.estimator), kept.estimator, matrix)


@pytest.mark.parametrize("value", [4.0, 5.5, -1.0, -0.0, 1e300, 1e-320, 120.0, math.nan])
def test_a_code_that_training_never_saw_goes_where_scikit_learn_sends_it(load, value):
    kept = fitted("boosting, categories")
    matrix = kept.matrix[:50].copy()
    matrix[:, 1] = matrix[:, 3] = value
    _assert_equal(load(kept.estimator), kept.estimator, matrix)


@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_an_infinite_category_is_refused_as_scikit_learn_refuses_it(load, value):
    kept = fitted("boosting, categories")
    row = [0.5, value, 1.0, 7.0, 0.5]
    native = load(kept.estimator)
    for model in (SklearnModel(kept.estimator), native):
        for score in (lambda model: model.one(row), lambda model: model.predict_proba(np.array([row]))):
            with pytest.raises(ValueError, match=r"infinity|infinite"):
                score(model)


@pytest.mark.parametrize("walk", WALKS)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_the_model_does_not_accept_is_refused(monkeypatch, tmp_path, walk, value):
    if walk == "numpy":
        monkeypatch.setattr(native_model, "nightjar_walk", None)
    path, inputs = _write(fitted("boosting").estimator, tmp_path)
    native = NativeModel(path, inputs.model_copy(update={"missing": False, "finite": (False, True, True, True, True)}))
    assert native.one([math.copysign(math.inf, value), 0.0, 0.0, 0.0, 0.0]) > 0
    for score in (lambda row: native.one(row), lambda row: native.predict_proba(np.array([row]))):
        with pytest.raises(ValueError, match=r"no missing value|infinite or too large"):
            score([0.0, 0.0, value, 0.0, 0.0])


@pytest.mark.parametrize("row", [[0.0], [0.0] * 6])
def test_a_row_of_another_length_is_refused(load, row):
    with pytest.raises(ValueError, match="the model takes 5 features"):
        load(fitted("boosting").estimator).one(row)


def test_missing_values_that_are_told_apart_from_all_others(load):
    """scikit-learn then splits at an infinite threshold."""
    matrix = np.random.default_rng(0).normal(size=(400, 2))
    matrix[::3, 0] = math.nan
    estimator = HistGradientBoostingClassifier(max_iter=5, random_state=0).fit(matrix, np.isnan(matrix[:, 0]))
    ensemble = trees.read(estimator)
    assert ensemble is not None and any(np.isinf(tree.threshold[~tree.leaf]).any() for tree in ensemble.trees)
    matrix[:2, 0] = math.inf, -math.inf
    _assert_equal(load(estimator), estimator, matrix)


def test_trees_of_single_leaves(load):
    matrix = fitted("boosting, no preprocessor").matrix
    estimator = HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=len(matrix), random_state=0)
    estimator.fit(matrix, np.arange(len(matrix)) % 3 == 0)
    _assert_equal(load(estimator), estimator, matrix)


@pytest.mark.parametrize(("offset", "probability"), [(-800.0, 0.0), (800.0, 1.0), (0.0, 0.5)])
@pytest.mark.parametrize("walk", WALKS)
def test_the_logistic_function_of_extreme_sums(monkeypatch, tmp_path, walk, offset, probability):
    if walk == "numpy":
        monkeypatch.setattr(native_model, "nightjar_walk", None)
    boosted_form.write(Ensemble([_stump([0.5], value=0.0)], 1, mean=False, offset=offset), tmp_path / "model.native")
    model = NativeModel(tmp_path / "model.native", InputSpec(dtype="float64", finite=(False,), missing=True))
    assert model.one([0.0]) == probability


@needs_compiled
@pytest.mark.parametrize("name", BOOSTED)
def test_the_parity_gate_chooses_it_and_the_same_trees_give_the_same_file(name):
    result = chosen(name)
    assert result.engine == "native" and list(result.files) == ["model.native"]
    (parity,) = result.parity
    assert parity.passed and parity.max_difference == 0 and parity.flipped == 0 and parity.on_threshold > 0
    assert chosen(name).files == result.files


@pytest.mark.parametrize(
    ("extension", "reason"),
    [(None, "nightjar_walk is not installed"), (SimpleNamespace(LANES=16), "nightjar_walk is of an earlier release")],
)
def test_without_an_extension_that_knows_boosting_the_ladder_goes_on_and_says_so(
    monkeypatch, tmp_path, caplog, extension, reason
):
    monkeypatch.setattr(native_model, "nightjar_walk", extension)
    result = chosen("boosting, categories")
    assert result.engine == "onnxruntime" and result.parity[1].passed
    assert result.parity[0].engine == "native" and reason in str(result.parity[0].reason)
    # A bundle that was made with it is still served.
    kept = fitted("boosting, categories")
    _assert_equal(NativeModel(*_write(kept.estimator, tmp_path)), kept.estimator, kept.matrix[:5])
    assert "model.native is served by NumPy, which is slow" in caplog.text and reason in caplog.text


@needs_compiled
def test_categories_with_too_many_different_sets_are_left_to_the_next_engine(monkeypatch):
    monkeypatch.setattr(boosted_form, "MAX_COLUMNS", 64)
    result = chosen("boosting, categories")
    assert result.engine == "onnxruntime"
    assert "more than the 64 columns that the engine native has" in str(result.parity[0].reason)


def _stump(thresholds: list[float], value: float = 0.0) -> Tree:
    """A tree that splits at each threshold, one below the other."""
    count = len(thresholds)
    leaf = np.array([False, True] * count + [True])
    true, false = np.full((2, 2 * count + 1), -1)
    true[~leaf], false[~leaf] = np.arange(1, 2 * count, 2), np.arange(2, 2 * count + 1, 2)
    threshold = np.zeros(2 * count + 1)
    threshold[~leaf] = thresholds
    zeros = np.zeros(2 * count + 1, int)
    return Tree(leaf, zeros, threshold, true, false, zeros.astype(bool), np.full(2 * count + 1, value), {})


def test_more_thresholds_than_a_byte_can_rank_are_left_to_the_next_engine(tmp_path):
    path = tmp_path / "model.native"
    boosted_form.write(Ensemble([_stump(list(range(255)))], 1, mean=False, offset=0.0), path)
    with pytest.raises(ValueError, match="256 thresholds of a feature are more than the 255"):
        boosted_form.write(Ensemble([_stump(list(range(256)))], 1, mean=False, offset=0.0), path)


@needs_compiled
def test_other_threads_run_while_a_batch_is_scored(tmp_path):
    """The batch's first answer is there while its last one is not: this thread ran in the middle of the call."""
    path, inputs = _write(fitted("boosting").estimator, tmp_path)
    walk = native_model.compiled(boosted_form.read(path, 5), inputs)
    matrix, answers = np.zeros((300_000, 5)), np.full(300_000, math.nan)
    batch = threading.Thread(target=walk.many, args=(matrix, answers))
    batch.start()
    seen = False
    while batch.is_alive():
        seen = seen or (not math.isnan(answers[0]) and math.isnan(answers[-1]))
    batch.join()
    assert seen and not np.isnan(answers).any()
