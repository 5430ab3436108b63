from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from include.model.engines import FAST_FORMS, ladder, loading, onnx_trees
from include.model.engines.ladder import LADDER, Rung, Source
from include.model.engines.trees import Tree
from tests.support.fitted_models import fitted, published

ONNX, TREELITE = LADDER
FORESTS = ["forest", "forest, missing values", "forest, class weights", "forest of leaves"]
BOOSTED = ["boosting", "boosting, categories", "boosting, no preprocessor"]


def _model(result: ladder.Published, folder: Path):
    (name, content), *_ = result.files.items()
    (folder / name).write_bytes(content)
    return loading.load(result.engine, folder / name, result.inputs)


def _wrong(change) -> Rung:
    """An ONNX rung whose first tree is not the model's."""

    def write(source: Source, path: Path) -> None:
        first, *rest = source.ensemble.trees
        ensemble = source.ensemble._replace(trees=[change(first), *rest])
        path.write_bytes(onnx_trees.build(ensemble, source.inputs).SerializeToString())

    return Rung("onnxruntime", write)


def _float32_thresholds(tree: Tree) -> Tree:
    return tree._replace(threshold=tree.threshold.astype(np.float32).astype(np.float64))


def _swapped_leaf(tree: Tree) -> Tree:
    """The two leaves of the last split that has two different ones."""
    both = ~tree.leaf & tree.leaf[tree.true] & tree.leaf[tree.false] & (tree.value[tree.true] != tree.value[tree.false])
    last = np.flatnonzero(both)[-1]
    true, false = tree.true.copy(), tree.false.copy()
    true[last], false[last] = false[last], true[last]
    return tree._replace(true=true, false=false)


def _other_way_for_missing(tree: Tree) -> Tree:
    return tree._replace(missing_true=~tree.missing_true)


@pytest.mark.parametrize("name", [*FORESTS, *BOOSTED, "logistic"])
def test_what_onnx_runtime_serves(name, tmp_path):
    result = published(name)
    assert result.engine == "onnxruntime" and list(result.files) == ["model.onnx"]
    (parity,) = result.parity
    assert parity.passed and parity.reason is None and parity.flipped == 0 and parity.rows >= 10_000
    # A forest is a mean of the same numbers in the same order.
    assert parity.max_difference == 0 if name in FORESTS else parity.max_difference < 1e-14
    assert (parity.on_threshold > 0) == (name not in ("logistic", "forest of leaves"))
    model, kept = _model(result, tmp_path), fitted(name)
    expected = kept.estimator.predict_proba(kept.matrix)
    np.testing.assert_allclose(model.predict_proba(kept.matrix), expected, atol=1e-14, rtol=0)
    np.testing.assert_allclose([model.one(row) for row in kept.matrix.tolist()], expected[:, 1], atol=1e-14, rtol=0)


@pytest.mark.parametrize("name", [*FORESTS, "boosting"])
def test_treelite_serves_the_same_numbers(name, tmp_path):
    fast, second = _model(published(name, [ONNX]), tmp_path), _model(published(name, [TREELITE]), tmp_path)
    assert (fast.name, second.name) == ("onnxruntime", "treelite")
    matrix = fitted(name).matrix
    np.testing.assert_allclose(second.predict_proba(matrix), fast.predict_proba(matrix), atol=1e-14, rtol=0)
    assert [second.one(row) for row in matrix.tolist()] == pytest.approx(
        [fast.one(row) for row in matrix.tolist()], abs=1e-14
    )


def test_a_treelite_form_that_takes_an_unknown_category_otherwise_is_caught():
    """Not made up: Treelite's import sends a code that no training row had another way than scikit-learn does."""
    result = published("boosting, categories", [TREELITE])
    assert result.engine == "scikit-learn" and result.files == {} and result.inputs is None
    assert not result.parity[0].passed and "with scikit-learn" in result.parity[0].reason


def test_what_no_engine_can_convert_is_served_by_scikit_learn():
    result = published("logistic pipeline")
    assert result.engine == "scikit-learn" and result.files == {}
    assert [parity.engine for parity in result.parity] == ["onnxruntime", "treelite"]
    for parity in result.parity:
        assert not parity.passed and parity.rows == 0 and parity.max_difference is None and parity.reason
    assert "TreeliteError" in result.parity[1].reason
    assert published("logistic pipeline") == result


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("forest", _float32_thresholds),
        ("forest, missing values", _swapped_leaf),
        ("forest, missing values", _other_way_for_missing),
        ("boosting, categories", _other_way_for_missing),
    ],
)
def test_a_wrong_fast_form_is_not_served(name, change):
    result = published(name, [_wrong(change), TREELITE] if name != "boosting, categories" else [_wrong(change), ONNX])
    first, second = result.parity
    assert not first.passed and first.max_difference > 1e-6 and "with scikit-learn" in first.reason
    assert second.passed and result.engine == second.engine


def test_a_rung_that_raises_gives_its_text_and_the_next_is_served():
    def write(source: Source, path: Path) -> None:
        raise RuntimeError(f"no converter for {object()!r}")

    result = published("forest", [Rung("onnxruntime", write), TREELITE])
    assert result.engine == "treelite" and list(result.files) == [FAST_FORMS["treelite"]]
    assert result.parity[0].reason == "RuntimeError: no converter for <object object>"


def test_a_file_that_the_engine_cannot_read_is_a_reason():
    result = published("forest", [Rung("onnxruntime", lambda source, path: path.write_bytes(b"no graph")), TREELITE])
    assert result.engine == "treelite" and "model.onnx" in result.parity[0].reason


def test_a_large_forest_is_left_to_treelite(monkeypatch):
    monkeypatch.setattr(ladder, "MAX_ONNX_NODES", 1000)
    result = published("forest")
    assert result.engine == "treelite"
    assert "nodes are more than the 1000 that ONNX Runtime is given" in result.parity[0].reason
