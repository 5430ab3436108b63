from __future__ import annotations

import numpy as np
import pytest

from include.model.engines import trees
from include.model.engines.probes import on_splits
from tests.support.fitted_models import fitted


def _visited(tree: trees.Tree, row: np.ndarray) -> set[int]:
    """The splits that a row reaches."""
    node, seen = 0, set()
    while not tree.leaf[node]:
        seen.add(node)
        value = row[tree.feature[node]]
        if np.isnan(value):
            branch = tree.missing_true[node]
        elif node in tree.categories:
            branch = value in tree.categories[node]
        else:
            branch = value <= tree.threshold[node]
        node = int((tree.true if branch else tree.false)[node])
    return seen


@pytest.mark.parametrize("name", ["forest", "boosting, categories"])
def test_nearly_every_split_has_a_row_on_its_threshold(name):
    model = fitted(name)
    ensemble = trees.read(model.estimator)
    assert ensemble is not None
    ensemble = ensemble._replace(trees=ensemble.trees[:2])
    rows, _ = on_splits(ensemble, model.matrix, model.categories, np.random.default_rng(1))
    splits = on = 0
    for tree in ensemble.trees:
        wanted = {
            int(node)
            for node in np.flatnonzero(~tree.leaf & np.isfinite(tree.threshold))
            if node not in tree.categories
        }
        met = {n for row in rows for n in _visited(tree, row) & wanted if row[tree.feature[n]] == tree.threshold[n]}
        splits, on = splits + len(wanted), on + len(met)
    # A split that only missing values reach has no row with a number.
    assert splits > 20 and on >= 0.9 * splits


def test_the_other_rows_have_missing_values_and_codes():
    model = fitted("boosting, categories")
    ensemble = trees.read(model.estimator)
    assert ensemble is not None
    _, others = on_splits(ensemble, model.matrix, model.categories, np.random.default_rng(1))
    assert set(range(10)) <= set(others[:, 1]) and len(set(others[:, 3])) > 60
    assert np.isnan(others).any(axis=0).all()
