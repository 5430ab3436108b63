from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from include.model.engines import FAST_FORMS, Parity, ScoringModel, ladder, loading, onnx_trees
from include.model.engines.ladder import LADDER, EngineChoice, LadderStep, TrainedModel
from include.model.engines.trees import Tree
from include.model.tolerances import PROBABILITY_TOLERANCE
from tests.support.fitted_models import chosen, fitted

NATIVE, ONNX, TREELITE = LADDER
FORESTS = ["forest", "forest, missing values", "forest, class weights", "forest of leaves"]
BOOSTED = ["boosting", "boosting, categories", "boosting, no preprocessor"]


def _load(result: EngineChoice, folder: Path) -> ScoringModel:
    (name, content), *_ = result.files.items()
    (folder / name).write_bytes(content)
    return loading.load(result.engine, folder / name, result.inputs)


def _wrong(change: Callable[[Tree], Tree]) -> LadderStep:
    """Writes an ONNX form whose first tree is changed."""

    def write(model: TrainedModel, path: Path) -> None:
        assert model.ensemble is not None
        first, *rest = model.ensemble.trees
        ensemble = model.ensemble._replace(trees=[change(first), *rest])
        path.write_bytes(onnx_trees.build(ensemble, model.inputs).SerializeToString())

    return LadderStep("onnxruntime", write)


def _float32_thresholds(tree: Tree) -> Tree:
    return tree._replace(threshold=tree.threshold.astype(np.float32).astype(np.float64))


def _swapped_leaf(tree: Tree) -> Tree:
    """Swaps the two leaves of the last split that has two different ones."""
    both = ~tree.leaf & tree.leaf[tree.true] & tree.leaf[tree.false] & (tree.value[tree.true] != tree.value[tree.false])
    last = np.flatnonzero(both)[-1]
    true, false = tree.true.copy(), tree.false.copy()
    true[last], false[last] = false[last], true[last]
    return tree._replace(true=true, false=false)


def _swapped_missing_branch(tree: Tree) -> Tree:
    return tree._replace(missing_true=~tree.missing_true)


def _reason(parity: Parity) -> str:
    assert parity.reason is not None
    return parity.reason


@pytest.mark.parametrize("name", [*FORESTS, *BOOSTED, "logistic"])
def test_onnx_runtime_serves_equal_numbers(name, tmp_path):
    result = chosen(name, [ONNX, TREELITE])
    assert result.engine == "onnxruntime" and list(result.files) == ["model.onnx"]
    (parity,) = result.parity
    assert parity.passed and parity.reason is None and parity.flipped == 0 and parity.rows >= 10_000
    # A forest is a mean of the same numbers in the same order.
    assert parity.max_difference is not None
    assert parity.max_difference == 0 if name in FORESTS else parity.max_difference < 1e-14
    assert (parity.on_threshold > 0) == (name not in ("logistic", "forest of leaves"))
    model, kept = _load(result, tmp_path), fitted(name)
    expected = kept.estimator.predict_proba(kept.matrix)
    np.testing.assert_allclose(model.predict_proba(kept.matrix), expected, atol=1e-14, rtol=0)
    np.testing.assert_allclose([model.one(row) for row in kept.matrix.tolist()], expected[:, 1], atol=1e-14, rtol=0)


@pytest.mark.parametrize("name", ["forest", "boosting, categories", "logistic"])
def test_the_same_model_gives_the_same_file(name):
    assert chosen(name).files == chosen(name).files != {}


@pytest.mark.parametrize("name", [*FORESTS, "boosting"])
def test_treelite_serves_equal_numbers(name, tmp_path):
    fast, second = _load(chosen(name, [ONNX]), tmp_path), _load(chosen(name, [TREELITE]), tmp_path)
    assert (fast.name, second.name) == ("onnxruntime", "treelite")
    matrix = fitted(name).matrix
    np.testing.assert_allclose(second.predict_proba(matrix), fast.predict_proba(matrix), atol=1e-14, rtol=0)
    assert [second.one(row) for row in matrix.tolist()] == pytest.approx(
        [fast.one(row) for row in matrix.tolist()], abs=1e-14
    )


def test_a_treelite_form_that_treats_unknown_categories_differently_fails():
    """A real defect: for a code that no training row had, Treelite's import takes another branch than scikit-learn."""
    result = chosen("boosting, categories", [TREELITE])
    assert result.engine == "scikit-learn" and result.files == {} and result.inputs is None
    assert not result.parity[0].passed and "with scikit-learn" in _reason(result.parity[0])


def test_scikit_learn_serves_what_no_engine_can_convert():
    result = chosen("logistic pipeline")
    assert result.engine == "scikit-learn" and result.files == {}
    assert [parity.engine for parity in result.parity] == ["onnxruntime", "treelite"]
    for parity in result.parity:
        assert not parity.passed and parity.rows == 0 and parity.max_difference is None and parity.reason
    assert "TreeliteError" in _reason(result.parity[1])
    assert chosen("logistic pipeline") == result


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("forest", _float32_thresholds),
        ("forest, missing values", _swapped_leaf),
        ("forest, missing values", _swapped_missing_branch),
        ("boosting, categories", _swapped_missing_branch),
    ],
)
def test_a_wrong_fast_form_is_not_served(name, change):
    result = chosen(name, [_wrong(change), TREELITE] if name != "boosting, categories" else [_wrong(change), ONNX])
    first, second = result.parity
    assert not first.passed and "with scikit-learn" in _reason(first)
    assert first.max_difference is not None and first.max_difference > PROBABILITY_TOLERANCE
    assert second.passed and result.engine == second.engine


def test_the_error_of_a_step_is_its_reason_and_the_next_step_serves():
    def write(model: TrainedModel, path: Path) -> None:
        raise RuntimeError(f"no converter for {object()!r}")

    result = chosen("forest", [LadderStep("onnxruntime", write), TREELITE])
    assert result.engine == "treelite" and list(result.files) == [FAST_FORMS["treelite"]]
    assert result.parity[0].reason == "RuntimeError: no converter for <object object>"


def test_a_file_that_the_engine_cannot_read_is_a_reason():
    def write(model: TrainedModel, path: Path) -> None:
        path.write_bytes(b"no graph")

    result = chosen("forest", [LadderStep("onnxruntime", write), TREELITE])
    assert result.engine == "treelite" and "model.onnx" in _reason(result.parity[0])


def test_treelite_serves_a_large_forest(monkeypatch):
    monkeypatch.setattr(ladder, "MAX_ONNX_NODES", 1000)
    result = chosen("forest", [ONNX, TREELITE])
    assert result.engine == "treelite"
    assert "nodes are more than the 1000 that ONNX Runtime is given" in _reason(result.parity[0])
