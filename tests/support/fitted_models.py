"""Small fitted models of every kind, with rows that they were not fitted on. Each is made once in a test run."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from include.model.engines.ladder import LADDER, EngineChoice, LadderStep, choose_engine
from include.training import estimators

CATEGORIES = {1: 10, 3: 120}
KINDS = {"a": "number", "b": "category", "c": "number", "d": "category", "e": "number"}


class Fitted(NamedTuple):
    """A model, rows that it was not fitted on, and the number of codes of each category column."""

    estimator: Any
    matrix: np.ndarray
    categories: dict[int, int]


@functools.cache
def rows(missing: bool) -> tuple[np.ndarray, np.ndarray]:
    """float64 (2400, 5) and labels. Column 1 has codes with gaps, column 3 many codes; 10 % are NaN if asked for."""
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(2400, 5))
    matrix[:, 1] = rng.choice([0, 2, 3, 7, 9], len(matrix))
    matrix[:, 3] = rng.integers(0, 120, len(matrix))
    noise = rng.normal(0, 0.7, len(matrix))
    labels = (matrix[:, 0] + matrix[:, 1] % 3 - 1 + matrix[:, 3] % 2 + noise > 0.5).astype(int)
    if missing:
        matrix[rng.random(matrix.shape) < 0.1] = np.nan
    return matrix, labels


@functools.cache
def fitted(name: str) -> Fitted:
    """The model of this name."""
    missing = name not in ("forest", "logistic")
    matrix, labels = rows(missing)
    makers = {
        "forest": RandomForestClassifier(20, random_state=0),
        "forest, missing values": RandomForestClassifier(20, random_state=0),
        "forest, class weights": RandomForestClassifier(21, class_weight="balanced", max_depth=6, random_state=0),
        "forest of leaves": RandomForestClassifier(3, min_samples_leaf=2000, random_state=0),
        "boosting": estimators.make("hist_gradient_boosting", dict.fromkeys(KINDS, "number"), 0, {"max_iter": 30}),
        "boosting, categories": estimators.make("hist_gradient_boosting", KINDS, 0, {"max_iter": 30}),
        "boosting, no preprocessor": HistGradientBoostingClassifier(
            max_iter=30, categorical_features=None, random_state=0
        ),
        "xgboost": estimators.make("xgboost", dict.fromkeys(KINDS, "number"), 0, {"n_estimators": 30}),
        "xgboost, categories": estimators.make("xgboost", KINDS, 0, {"n_estimators": 30}),
        "xgboost, one code or all others": estimators.make("xgboost", KINDS, 0, {"max_cat_to_onehot": 200}),
        "xgboost, pruned": estimators.make("xgboost", KINDS, 0, {"gamma": 2, "max_delta_step": 50}),
        "xgboost, one tree": estimators.make("xgboost", KINDS, 0, {"n_estimators": 1}),
        "xgboost, no split": estimators.make("xgboost", KINDS, 0, {"n_estimators": 3, "gamma": 1e9}),
        "xgboost, many thresholds": estimators.make("xgboost", KINDS, 0, {"max_bin": 1000}),
        "logistic": LogisticRegression(max_iter=1000),
        "logistic pipeline": estimators.make("logistic_regression", KINDS, 0, {}),
    }
    estimator = makers[name].fit(matrix[:2000], labels[:2000])
    numbers_only = name in ("boosting", "boosting, no preprocessor", "xgboost") or name.startswith(
        ("forest", "logistic")
    )
    categories = CATEGORIES if name == "logistic pipeline" or not numbers_only else {}
    return Fitted(estimator, matrix[2000:], categories)


def chosen(name: str, ladder: Sequence[LadderStep] = LADDER) -> EngineChoice:
    """The engine that serves the model of this name."""
    model = fitted(name)
    matrix, golden = model.matrix[:-20], model.matrix[-20:]
    return choose_engine(
        model.estimator, matrix, golden, categories=model.categories, threshold=0.5, seed=3, ladder=ladder
    )
