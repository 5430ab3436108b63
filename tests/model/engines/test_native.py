"""The engine ``native``, walked by the extension and by NumPy: scikit-learn's numbers, bit for bit, and refusals."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from include.model.engines import native_form, native_model, trees
from include.model.engines.inputs import InputSpec, probe_inputs
from include.model.engines.native_form import NativeForest
from include.model.engines.native_model import NativeModel
from tests.support.compiled import COMPILED, needs_compiled
from tests.support.fitted_models import chosen, fitted

FORESTS = ["forest", "forest, missing values", "forest, class weights", "forest of leaves"]
WALKS = [pytest.param("compiled", marks=needs_compiled), "numpy"]
FLOAT32_LARGEST = 3.4028235677973362e38


def _write(name: str, folder: Path, **inputs: Any) -> tuple[Path, InputSpec]:
    ensemble = trees.read(fitted(name).estimator)
    assert ensemble is not None
    path = folder / "model.native"
    native_form.write(ensemble, path)
    return path, probe_inputs(fitted(name).estimator, ensemble.features).model_copy(update=inputs)


@pytest.fixture(params=WALKS)
def model(request, monkeypatch, tmp_path) -> Callable[..., NativeModel]:
    """Loads the model of a name, with changes of its input values, to be walked by the extension or by NumPy."""
    if request.param == "numpy":
        monkeypatch.setattr(native_model, "nightjar_walk", None)
    return lambda name, **inputs: NativeModel(*_write(name, tmp_path, **inputs))


@pytest.mark.parametrize("name", FORESTS)
def test_every_probability_is_scikit_learns(model, name):
    kept, native = fitted(name), model(name)
    expected = kept.estimator.predict_proba(kept.matrix)[:, 1]
    np.testing.assert_array_equal(native.predict_proba(kept.matrix)[:, 1], expected)
    np.testing.assert_array_equal([native.one(row) for row in kept.matrix.tolist()], expected)
    assert native.predict_proba(kept.matrix[:0]).shape == (0, 2)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, math.nextafter(FLOAT32_LARGEST, math.inf)])
def test_what_the_model_does_not_accept_is_refused(model, value):
    native, row = model("forest", missing=False), [0.0, 1.0, 2.0, 3.0, value]
    with pytest.raises(ValueError, match=r"no missing value|infinite or too large"):
        native.one(row)
    with pytest.raises(ValueError, match=r"no missing value|infinite or too large"):
        native.predict_proba(np.array([row]))


@pytest.mark.parametrize("row", [[0.0], [0.0] * 6])
def test_a_row_of_another_length_is_refused(model, row):
    with pytest.raises(ValueError, match="the model takes 5 features"):
        model("forest").one(row)


def test_the_largest_float32_is_accepted(model):
    row = [0.0, 1.0, 2.0, 3.0, FLOAT32_LARGEST]
    assert model("forest").one(row) == fitted("forest").estimator.predict_proba([row])[0, 1]


@needs_compiled
def test_the_parity_gate_chooses_it_for_a_forest_and_the_same_forest_gives_the_same_file():
    for name in FORESTS:
        result = chosen(name)
        assert result.engine == "native" and list(result.files) == ["model.native"]
        (parity,) = result.parity
        assert parity.passed and parity.max_difference == 0 and parity.flipped == 0 and parity.rows >= 10_000
        assert chosen(name).files == result.files


def test_without_the_extension_the_ladder_goes_on_and_says_so(monkeypatch):
    monkeypatch.setattr(native_model, "nightjar_walk", None)
    result = chosen("forest")
    assert result.engine == "onnxruntime" and result.parity[1].passed
    assert result.parity[0].engine == "native" and "nightjar_walk is not installed" in str(result.parity[0].reason)


def test_a_bundle_that_is_served_without_the_extension_says_so(monkeypatch, tmp_path, caplog):
    monkeypatch.setattr(native_model, "nightjar_walk", None)
    NativeModel(*_write("forest", tmp_path))
    assert "model.native is served by NumPy, which is slow" in caplog.text


def test_it_is_not_tried_for_another_kind_of_model():
    assert {parity.engine for parity in chosen("logistic").parity} == {"onnxruntime"}


def test_a_threshold_becomes_the_largest_float32_that_is_at_most_it(tmp_path):
    ensemble = trees.read(fitted("forest").estimator)
    assert ensemble is not None
    path, _ = _write("forest", tmp_path)
    forest = native_form.read(path, 5)
    thresholds = np.concatenate([tree.threshold[~tree.leaf] for tree in ensemble.trees])
    splits = forest.nodes["split"][~forest.leaf]
    assert len(splits) == len(thresholds) and (np.sort(splits) <= np.sort(thresholds)).all()
    assert (np.nextafter(np.sort(splits), np.float32(np.inf)) > np.sort(thresholds)).all()
    assert (np.sort(splits) != np.sort(thresholds)).any(), "no threshold of the test needs rounding"


@pytest.mark.parametrize(
    ("limit", "what"), [("MAX_NODES", "nodes"), ("MAX_FEATURES", "features"), ("MAX_TREES", "trees")]
)
def test_a_forest_that_is_too_large_is_left_to_the_next_engine(monkeypatch, tmp_path, limit, what):
    monkeypatch.setattr(native_form, limit, 2)
    with pytest.raises(ValueError, match=f"{what} are more than the 2 that the engine native has"):
        _write("forest", tmp_path)


def _set(name: str, place: Callable[[NativeForest], int], value: Callable[[NativeForest, int], int]) -> Any:
    """A change of one number of an array: ``name`` is ``next``, ``child``, ``feature``, ``value``, or ``root``."""

    def change(forest: NativeForest) -> dict[str, np.ndarray]:
        nodes, roots, at = forest.nodes.copy(), forest.roots.copy(), place(forest)
        new = value(forest, at)
        if name == "root":
            roots[at] = new
        elif name == "next":
            nodes["next"][at] = np.uint32(new)
        elif name == "child":
            nodes["next"][at] = (nodes["next"][at] & 0xFF) | np.uint32(new << 8)
        elif name == "feature":
            nodes["next"][at] = (nodes["next"][at] & ~np.uint32(0x7F)) | np.uint32(new)
        else:
            nodes["split"].view(np.uint32)[at] = np.uint32(0x7FC00000 | new)
        return {"nodes": nodes, "values": forest.values, "roots": roots}

    return change


def _split(forest: NativeForest) -> int:
    return int(np.flatnonzero(~forest.leaf)[-1])


def _leaf(forest: NativeForest) -> int:
    return int(np.flatnonzero(forest.leaf)[3])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_set("child", _split, lambda forest, at: len(forest.nodes) - 1), "is no node"),
        (_set("child", _split, lambda forest, at: at), "does not come after it"),
        (_set("child", lambda forest: 0, lambda forest, at: at + 3), "in no tree, or in two"),
        (_set("child", _leaf, lambda forest, at: at + 1), "not its own child"),
        (_set("root", lambda forest: 1, lambda forest, at: len(forest.nodes)), "is no node"),
        (_set("root", lambda forest: 1, lambda forest, at: 0), "in no tree, or in two"),
        (_set("feature", _split, lambda forest, at: 5), "does not exist"),
        (_set("value", _leaf, lambda forest, at: len(forest.values)), "does not exist"),
        (_set("next", _leaf, lambda forest, at: at << 8 | 0x80), "sends missing values on"),
        (lambda forest: {"nodes": forest.nodes, "values": forest.values, "roots": forest.roots[:0]}, "no trees"),
        (
            lambda forest: {"nodes": forest.nodes["next"], "values": forest.values, "roots": forest.roots},
            "another type or shape",
        ),
    ],
)
def test_arrays_that_would_lead_a_walk_astray_are_not_loaded(tmp_path, change, reason):
    path, _ = _write("forest", tmp_path)
    forest = native_form.read(path, 5)
    with path.open("wb") as file:
        np.savez(file, **change(forest))
    with pytest.raises(ValueError, match=reason):
        native_form.read(path, 5)


@needs_compiled
def test_other_threads_run_while_a_batch_is_scored(tmp_path):
    """The batch's first answer is there while its last one is not: this thread ran in the middle of the call."""
    walk = native_model.compiled(*_read(tmp_path))
    matrix, answers = np.zeros((300_000, 5)), np.full(300_000, math.nan)
    batch = threading.Thread(target=walk.many, args=(matrix, answers))
    batch.start()
    seen = False
    while batch.is_alive():
        seen = seen or (not math.isnan(answers[0]) and math.isnan(answers[-1]))
    batch.join()
    assert seen and not np.isnan(answers).any()


@needs_compiled
def test_a_batch_whose_arrays_do_not_fit_is_refused(tmp_path):
    walk = native_model.compiled(*_read(tmp_path))
    with pytest.raises(ValueError, match="the matrix must have 5 columns"):
        walk.many(np.zeros((3, 4)), np.zeros(3))


def _read(folder: Path) -> tuple[NativeForest, InputSpec]:
    path, inputs = _write("forest", folder)
    return native_form.read(path, 5), inputs


@needs_compiled
def test_the_extension_is_there():
    """Set-up compiles it, so CI has it."""
    assert COMPILED
