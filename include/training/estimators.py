"""The kinds of model that a workload may name.

Each accepts float64 rows in which a category is a code, and NaN is a missing value or an unknown category. Each is
seeded and predicts the same for the same rows, whatever the number of threads. The pickle of
``hist_gradient_boosting``, and so the bundle digest, also contains the number of OpenMP threads of the fit
(``_bin_mapper.n_threads``): digests are equal only between machines with equally many CPUs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import sklearn
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from include.training.container import JobError

# HistGradientBoostingClassifier supports at most 255 bins, so that many categories (its parameter max_bins).
MAX_CATEGORIES = 250


def _hist_gradient_boosting(kinds: Sequence[str], seed: int, parameters: dict[str, Any]) -> BaseEstimator:
    mask = [kind == "category" for kind in kinds]
    return HistGradientBoostingClassifier(categorical_features=mask, random_state=seed, **parameters)


def _random_forest(kinds: Sequence[str], seed: int, parameters: dict[str, Any]) -> BaseEstimator:
    return RandomForestClassifier(random_state=seed, **parameters)


def _logistic_regression(kinds: Sequence[str], seed: int, parameters: dict[str, Any]) -> BaseEstimator:
    numbers = [index for index, kind in enumerate(kinds) if kind == "number"]
    categories = [index for index, kind in enumerate(kinds) if kind == "category"]
    imputed = Pipeline(
        [
            ("impute", SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)),
            ("scale", StandardScaler()),
        ]
    )
    encode = ColumnTransformer(
        [("number", imputed, numbers), ("category", OneHotEncoder(handle_unknown="ignore"), categories)]
    )
    return Pipeline(
        [("encode", encode), ("model", LogisticRegression(random_state=seed, **{"max_iter": 1000, **parameters}))]
    )


def _xgboost(kinds: Sequence[str], seed: int, parameters: dict[str, Any]) -> BaseEstimator:
    # Imported here, as below, because the other kinds need not pay for the import.
    from include.training import xgboost_model

    return xgboost_model.make(kinds, seed, parameters)


REGISTRY: dict[str, Callable[[Sequence[str], int, dict[str, Any]], BaseEstimator]] = {
    "hist_gradient_boosting": _hist_gradient_boosting,
    "random_forest": _random_forest,
    "logistic_regression": _logistic_regression,
    "xgboost": _xgboost,
}

# The kinds that train on a GPU where the instance has one, and on the CPU elsewhere. A workload may name an instance
# type with a GPU only with one of these. None of scikit-learn's does; docs/training.md says how to add one.
GPU_KINDS: frozenset[str] = frozenset({"xgboost"})


def make(kind: str, kinds: Mapping[str, str], seed: int, parameters: dict[str, Any]) -> BaseEstimator:
    """Makes an unfitted estimator.

    Args:
        kind: A key of :data:`REGISTRY`.
        kinds: Kind of each feature, in the order of the columns.
        seed: Seed of the estimator.
        parameters: Hyperparameters.

    Raises:
        JobError: The kind or a hyperparameter is unknown.
    """
    if kind not in REGISTRY:
        raise JobError(f"model.kind {kind!r} is unknown. Choose one of {', '.join(REGISTRY)}.")
    try:
        return REGISTRY[kind](list(kinds.values()), seed, parameters)
    except TypeError as error:
        raise JobError(f"model.hyperparameters do not fit {kind}: {error}") from None


def fit(model: BaseEstimator, matrix: np.ndarray, labels: np.ndarray) -> None:
    """Fits an estimator in place.

    A column without any value is fitted as zeros: some kinds refuse a column of NaN, and none learns anything from a
    constant.

    Args:
        model: The estimator.
        matrix: float64 array of shape (rows, features).
        labels: int8 array of shape (rows,).

    Raises:
        JobError: The estimator refuses the rows or a hyperparameter.
    """
    empty = np.isnan(matrix).all(axis=0)
    rows = np.where(empty, 0.0, matrix)
    try:
        if is_xgboost(model):
            from include.training import xgboost_model

            xgboost_model.fit(model, rows, labels)
        else:
            model.fit(rows, labels)
    except ValueError as error:
        raise JobError(f"The model cannot be trained: {error}") from error


def is_xgboost(model: BaseEstimator) -> bool:
    """Whether an estimator is XGBoost's, without importing it."""
    return type(model).__module__.partition(".")[0] == "xgboost"


def device(model: BaseEstimator) -> str | None:
    """The device that trained an estimator of :data:`GPU_KINDS` (``cpu``, ``cuda``); None for the other kinds."""
    if not is_xgboost(model):
        return None
    from include.training import xgboost_model

    return xgboost_model.trained_on(model)


def libraries(model: BaseEstimator) -> dict[str, str]:
    """The versions of the libraries that an estimator is made of."""
    versions = {"scikit-learn": sklearn.__version__}
    if is_xgboost(model):
        from include.training import xgboost_model

        versions["xgboost"] = xgboost_model.VERSION
    return versions
