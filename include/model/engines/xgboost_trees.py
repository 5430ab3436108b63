"""The trees of XGBoost's classifier as the arrays of ``trees``, read from the model document that it writes.

XGBoost rounds a value to float32, and a split sends it left if it is below the split's condition, a float32. The arrays
compare float64 values, so the threshold here is the largest float64 that is rounded to less than the condition. A split
on a category has the codes that go right.

Source: https://xgboost.readthedocs.io/en/release_3.1.0/tutorials/saving_model.html
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from include.model.engines.trees import Ensemble, Tree


def read(estimator: Any) -> Ensemble | None:
    """Reads the trees of a fitted ``XGBClassifier``; ``None`` if the estimator is none of XGBoost's.

    Raises:
        ValueError: It has no trees for a binary label.
    """
    if type(estimator).__module__ != "xgboost.sklearn":
        return None
    booster = estimator.get_booster()
    document = json.loads(booster.save_raw("json"))
    learner = document["learner"]
    objective, kind = learner["objective"]["name"], learner["gradient_booster"]["name"]
    if (objective, kind) != ("binary:logistic", "gbtree"):
        raise ValueError(f"the booster {kind} with the objective {objective} is not one of trees for a binary label")
    trees = [_tree(tree) for tree in learner["gradient_booster"]["model"]["trees"]]
    features = int(learner["learner_model_param"]["num_feature"])
    return Ensemble(trees, features, mean=False, offset=_offset(booster, document, features), single=True)


def _tree(document: dict[str, Any]) -> Tree:
    """One tree. Nodes that pruning has left without a parent are left out, and the others are numbered depth first."""
    left, right = np.array(document["left_children"]), np.array(document["right_children"])
    kept = _depth_first(left, right)
    place = np.zeros(len(left), np.int64)
    place[kept] = np.arange(len(kept))
    condition = np.array(document["split_conditions"], np.float32)[kept]
    leaf = left[kept] < 0
    lower, upper = place[left[kept]], place[right[kept]]
    missing_left = np.array(document["default_left"], bool)[kept]
    categories = _categories(document, place)
    category = np.zeros(len(kept), bool)
    category[list(categories)] = True
    return Tree(
        leaf=leaf,
        feature=np.array(document["split_indices"], np.int64)[kept],
        threshold=largest_below(condition),
        true=np.where(category, upper, lower),
        false=np.where(category, lower, upper),
        missing_true=missing_left != category,
        value=condition.astype(np.float64),
        categories=categories,
    )


def _depth_first(left: np.ndarray, right: np.ndarray) -> list[int]:
    """The nodes that the root reaches."""
    order, waiting = [], [0]
    while waiting:
        node = waiting.pop()
        order.append(node)
        if left[node] >= 0:
            waiting += [int(right[node]), int(left[node])]
    return order


def _categories(document: dict[str, Any], place: np.ndarray) -> dict[int, list[float]]:
    """By node, the codes that go right."""
    sets = zip(document["categories_nodes"], document["categories_segments"], document["categories_sizes"], strict=True)
    codes = document["categories"]
    return {int(place[node]): sorted(float(code) for code in codes[start : start + size]) for node, start, size in sets}


def largest_below(condition: np.ndarray) -> np.ndarray:
    """For float32 conditions, the largest float64 that is rounded to a float32 below each.

    Halfway between two float32, a float64 is rounded to the one whose last bit is zero; beyond the largest float32,
    infinity takes the place of 2**128 (IEEE 754-2019, 4.3.1). XGBoost writes an infinite condition where a feature has
    values above half of the largest float32. Nothing is below minus infinity, for which this is itself.
    """
    with np.errstate(over="ignore"):  # from a finite number to an infinite one
        below = np.nextafter(condition, np.float32(-np.inf))
        half = (_finite(below) + _finite(condition)) / 2
        rounded = half.astype(np.float32)
    return np.where(np.isneginf(condition), -np.inf, np.where(rounded < condition, half, np.nextafter(half, -np.inf)))


def _finite(values: np.ndarray) -> np.ndarray:
    """As float64, with 2**128 for infinity."""
    wide = values.astype(np.float64)
    return np.where(np.isinf(wide), np.copysign(2.0**128, wide), wide)


def _offset(booster: Any, document: dict[str, Any], features: int) -> float:
    """The margin before the first tree, as XGBoost makes it of the base score: it limits that, and rounds by its logf.

    Args:
        booster: The booster.
        document: Its document, in which every leaf becomes 0 here, so that nothing is added to the margin.
        features: Number of columns.
    """
    learner = document["learner"]
    for tree in learner["gradient_booster"]["model"]["trees"]:
        tree["split_conditions"] = [0.0] * len(tree["split_conditions"])  # of leaves, the value
    zeros = type(booster)({"nthread": 1}, model_file=bytearray(json.dumps(document).encode()))
    (margin,) = zeros.inplace_predict(np.zeros((1, features)), predict_type="margin", validate_features=False)
    return float(margin)
