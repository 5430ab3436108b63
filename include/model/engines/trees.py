"""The trees of a fitted scikit-learn ensemble as plain arrays: what an engine is built from and where the parity gate probes.

Read from attributes of scikit-learn that are not all public; that they still mean the same is what the gate measures.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier, RandomForestClassifier


class Tree(NamedTuple):
    """Arrays over the nodes of one tree, the root first. ``true`` and ``false`` are the nodes that follow a split's answer.

    A split asks whether the value is at most ``threshold`` (float64) or, where ``categories`` has the node, whether it is one of
    these values. ``missing_true``: a missing value follows ``true``. ``value``: float64, what a leaf gives.
    """

    leaf: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    true: np.ndarray
    false: np.ndarray
    missing_true: np.ndarray
    value: np.ndarray
    categories: dict[int, list[float]]


class Ensemble(NamedTuple):
    """The probability is the mean of the trees' values, or the logistic function of ``offset`` and their sum."""

    trees: list[Tree]
    features: int
    mean: bool
    offset: float

    @property
    def nodes(self) -> int:
        """Splits and leaves of all trees."""
        return sum(len(tree.leaf) for tree in self.trees)


def read(estimator: Any) -> Ensemble | None:
    """``None``: not one of the tree ensembles known here."""
    if isinstance(estimator, (RandomForestClassifier, ExtraTreesClassifier)):
        trees = [_forest_tree(member.tree_) for member in estimator.estimators_]
        return Ensemble(trees, estimator.n_features_in_, mean=True, offset=0.0)
    if isinstance(estimator, HistGradientBoostingClassifier):
        offset = float(estimator._baseline_prediction.ravel()[0])
        return Ensemble(list(_boosted_trees(estimator)), estimator.n_features_in_, mean=False, offset=offset)
    return None


def _forest_tree(tree: Any) -> Tree:
    return Tree(
        leaf=tree.children_left < 0,
        feature=tree.feature,
        threshold=tree.threshold,
        true=tree.children_left,
        false=tree.children_right,
        missing_true=tree.missing_go_to_left.astype(bool),
        value=tree.value[:, 0, 1],
        categories={},
    )


def _boosted_trees(estimator: HistGradientBoostingClassifier) -> Iterator[Tree]:
    columns, values = _encoding(estimator)
    known_bits, place_of = estimator._bin_mapper.make_known_categories_bitsets()
    for (predictor,) in estimator._predictors:
        nodes = predictor.nodes
        leaf = nodes["is_leaf"].astype(bool)
        true, false = nodes["left"].astype(np.int64), nodes["right"].astype(np.int64)
        missing_left = nodes["missing_go_to_left"].astype(bool)
        missing_true = missing_left.copy()
        categories: dict[int, list[float]] = {}
        for node in np.flatnonzero(nodes["is_categorical"].astype(bool) & ~leaf):
            feature = nodes["feature_idx"][node]
            left = _codes(predictor.raw_left_cat_bitsets[nodes["bitset_idx"][node]])
            if missing_left[node]:
                # A category never seen goes where a missing value goes, so the question is asked of the other side: both then
                # answer it with no.
                left = _codes(known_bits[place_of[feature]]) - left
                true[node], false[node] = false[node], true[node]
            missing_true[node] = False
            categories[int(node)] = sorted(float(values[feature][code]) for code in left)
        feature = columns[nodes["feature_idx"].astype(np.int64)]
        yield Tree(leaf, feature, nodes["num_threshold"], true, false, missing_true, nodes["value"], categories)


def _encoding(estimator: HistGradientBoostingClassifier) -> tuple[np.ndarray, list[np.ndarray]]:
    """Where each column that the trees know is in the input, for they have the categories first; and each category's value."""
    width = estimator.n_features_in_
    if estimator._preprocessor is None:
        return np.arange(width), []
    columns = np.concatenate([np.flatnonzero(estimator.is_categorical_), np.flatnonzero(~estimator.is_categorical_)])
    return columns, estimator._preprocessor.named_transformers_["encoder"].categories_


def _codes(bits: np.ndarray) -> set[int]:
    """The numbers whose bits are set, of 256 bits in eight words."""
    return set(np.flatnonzero(np.unpackbits(bits.astype("<u4").view(np.uint8), bitorder="little")).tolist())
