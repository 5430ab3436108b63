"""The arrays of boosted trees that are refused: none may lead the walk out of an array, or round in circles."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from include.model.engines import boosted_form, trees
from include.model.engines.boosted_form import BoostedTrees
from tests.support.fitted_models import fitted


def _write(name: str, folder: Path) -> Path:
    ensemble = trees.read(fitted(name).estimator)
    assert ensemble is not None
    boosted_form.write(ensemble, folder / "model.native")
    return folder / "model.native"


def _node(field: str, leaf: bool, value: Callable[[BoostedTrees, int], int]) -> Any:
    """A change of one number of the last split or of the fourth leaf."""

    def change(form: BoostedTrees) -> dict[str, np.ndarray]:
        nodes, is_leaf = form.nodes.copy(), form.nodes["rank"] == boosted_form.LEAF
        at = int(np.flatnonzero(is_leaf)[3] if leaf else np.flatnonzero(~is_leaf)[-1])
        nodes[field][at] = value(form, at)
        return {"nodes": nodes}

    return change


def _feature(field: str, value: int) -> Any:
    def change(form: BoostedTrees) -> dict[str, np.ndarray]:
        features = form.features.copy()
        features[field][0] = value
        return {"features": features}

    return change


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_node("next", False, lambda form, at: len(form.nodes) - 1), "is no node"),
        (_node("next", False, lambda form, at: 2**32 - 1), "is no node"),
        (_node("next", False, lambda form, at: at), "does not come after it"),
        (_node("next", False, lambda form, at: 0), "does not come after it"),
        (_node("next", True, lambda form, at: at + 1), "not its own child"),
        (_node("rank", True, lambda form, at: 3), "does not come after it"),
        (_node("rank", False, lambda form, at: 255), "not its own child"),
        (_node("column", False, lambda form, at: int(form.features["words"].sum()) * 8), "column does not exist"),
        (_node("column", True, lambda form, at: 2**16 - 1), "column does not exist"),
        (lambda form: {"roots": form.roots + np.uint32(len(form.nodes))}, "is no node"),
        (lambda form: {"roots": form.roots[:0]}, "no trees"),
        (lambda form: {"roots": np.append(form.roots, form.roots[:1])}, "in no tree, or in two"),
        (lambda form: {"values": form.values[:-1]}, "not one value for each node"),
        (lambda form: {"offset": form.offset[:0]}, "one offset"),
        (lambda form: {"features": form.features[:-1]}, "one number of cuts for each feature"),
        (_feature("cuts", 2**32 - 1), "not as many cuts"),
        (_feature("words", 2**32 - 1), "too many columns"),
        (_feature("words", 0), "table does not have its columns"),
        (lambda form: {"cuts": form.cuts[:-1]}, "not as many cuts"),
        (lambda form: {"table": form.table[:-1]}, "table does not have its columns"),
        (lambda form: {"nodes": form.nodes["next"]}, "another type or shape"),
        (lambda form: {"table": form.table.astype(np.uint16)}, "another type or shape"),
        (lambda form: {"values": form.values.reshape(1, -1)}, "another type or shape"),
    ],
)
def test_arrays_that_would_lead_a_walk_astray_are_not_loaded(tmp_path, change, reason):
    path = _write("boosting, categories", tmp_path)
    form = boosted_form.read(path, 5)
    with path.open("wb") as file:
        np.savez(file, **form._asdict() | change(form))
    with pytest.raises(ValueError, match=reason):
        boosted_form.read(path, 5)


@pytest.mark.parametrize("features", [4, 6])
def test_a_form_for_rows_of_another_length_is_not_loaded(tmp_path, features):
    path = _write("boosting", tmp_path)
    with pytest.raises(ValueError, match="one number of cuts for each feature"):
        boosted_form.read(path, features)


def test_a_threshold_that_is_no_number_is_refused(tmp_path):
    """scikit-learn makes one where a feature has both infinities, and no value is below it."""
    ensemble = trees.read(fitted("boosting").estimator)
    assert ensemble is not None
    tree = ensemble.trees[0]
    tree.threshold[np.flatnonzero(~tree.leaf)[0]] = np.nan
    with pytest.raises(ValueError, match="a threshold is not a number"):
        boosted_form.write(ensemble, tmp_path / "model.native")
