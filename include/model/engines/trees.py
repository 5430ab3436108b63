"""The trees of a fitted scikit-learn ensemble as plain arrays, for the fast forms and the probes of the parity gate.

Some of the attributes read here are private to scikit-learn. The parity gate detects an upgrade that changes their
meaning.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier, RandomForestClassifier


class Tree(NamedTuple):
    """One tree. Every array has the shape (nodes,), and node 0 is the root.

    Attributes:
        leaf: Whether the node is a leaf. The arrays about splits are undefined for leaves.
        feature: Column that the split compares.
        threshold: float64; the split is true for a value of at most this.
        true: The next node when the split is true.
        false: The next node when the split is false.
        missing_true: Whether a missing value takes the branch ``true``.
        value: float64; the value of a leaf.
        categories: By node, for splits on a category: the codes for which the split is true, in place of ``threshold``.
            Any other code takes the branch ``false``.
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
    """A forest or boosted trees.

    Attributes:
        trees: The trees.
        features: Number of columns.
        mean: The probability is the mean of the trees' values (a forest). Otherwise it is the logistic function of
            ``offset`` plus their sum (boosting).
        offset: The log-odds before the first tree; 0 for a forest.
        single: Whether the sum, and the probability, are computed in float32, as XGBoost does.
    """

    trees: list[Tree]
    features: int
    mean: bool
    offset: float
    single: bool = False

    @property
    def nodes(self) -> int:
        """Number of splits and leaves of all trees."""
        return sum(len(tree.leaf) for tree in self.trees)


def read(estimator: Any) -> Ensemble | None:
    """Reads the trees of a fitted estimator; ``None`` if it is not one of the tree ensembles known here."""
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
                # scikit-learn sends a category that training never saw where it sends a missing value. Here that must
                # be the false branch, so the branches are swapped and the split lists the complement.
                # https://scikit-learn.org/stable/modules/ensemble.html#categorical-support-gbdt
                left = _codes(known_bits[place_of[feature]]) - left
                true[node], false[node] = false[node], true[node]
            missing_true[node] = False
            categories[int(node)] = sorted(float(values[feature][code]) for code in left)
        feature = columns[nodes["feature_idx"].astype(np.int64)]
        yield Tree(leaf, feature, nodes["num_threshold"], true, false, missing_true, nodes["value"], categories)


def _encoding(estimator: HistGradientBoostingClassifier) -> tuple[np.ndarray, list[np.ndarray]]:
    """The input column of each column of the trees, which put categories first; and each category column's codes."""
    width = estimator.n_features_in_
    if estimator._preprocessor is None:
        return np.arange(width), []
    columns = np.concatenate([np.flatnonzero(estimator.is_categorical_), np.flatnonzero(~estimator.is_categorical_)])
    return columns, estimator._preprocessor.named_transformers_["encoder"].categories_


def _codes(bits: np.ndarray) -> set[int]:
    """The positions of the set bits, of 256 bits in eight uint32 words."""
    return set(np.flatnonzero(np.unpackbits(bits.astype("<u4").view(np.uint8), bitorder="little")).tolist())
