"""The trees of XGBoost's classifier as the arrays of ``trees``, read from the model document that it writes.

XGBoost rounds a value to float32, and a split sends it left if it is below the split's condition, a float32. The arrays
compare float64 values, so the threshold here is the largest float64 that is rounded to less than the condition. A split
on a category has the codes that go right.

Source: https://xgboost.readthedocs.io/en/release_3.1.0/tutorials/saving_model.html
"""

from __future__ import annotations

import json
import math
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
    learner = json.loads(estimator.get_booster().save_raw("json"))["learner"]
    objective, kind = learner["objective"]["name"], learner["gradient_booster"]["name"]
    if (objective, kind) != ("binary:logistic", "gbtree"):
        raise ValueError(f"the booster {kind} with the objective {objective} is not one of trees for a binary label")
    trees = [_tree(tree) for tree in learner["gradient_booster"]["model"]["trees"]]
    parameters = learner["learner_model_param"]
    (base_score,) = json.loads(parameters["base_score"])
    return Ensemble(trees, int(parameters["num_feature"]), mean=False, offset=_log_odds(base_score), single=True)


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

    Halfway between two float32, a float64 is rounded to the one whose last bit is zero (IEEE 754-2019, 4.3.1).
    """
    below = np.nextafter(condition, np.float32(-np.inf))
    half = (below.astype(np.float64) + condition.astype(np.float64)) / 2
    return np.where(half.astype(np.float32) < condition, half, np.nextafter(half, -np.inf))


def _log_odds(probability: float) -> float:
    """The margin of a base score, by XGBoost's formula in float32."""
    share = np.float32(1) / np.float32(probability) - np.float32(1)
    return float(np.float32(-math.log(float(share))))
