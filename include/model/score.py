"""Scoring: request record → ``features()`` → row of float64 → probability. Training, evaluation and service all use it.

A category is encoded by its position in the bundle's vocabulary. A missing value and an unknown category are both NaN,
which every estimator of ``include.training.estimators`` was trained to accept.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from include.model.errors import ScoreError


class Classifier(Protocol):
    """A fitted binary classifier with scikit-learn's method: an estimator, or one of the engines."""

    def predict_proba(self, matrix: np.ndarray, /) -> np.ndarray:
        """Returns float64 (rows, 2), the second column the probability of label 1, for float64 (rows, features)."""
        ...


class Scorer:
    """A model behind its own feature code.

    Args:
        features: ``features()`` of features.py.
        kinds: Kind of each feature (number or category), in the order of the model's columns.
        categories: Values of each category feature. The position of a value is its code.
        model: The fitted model.
        threshold: Probability from which the prediction is 1.
    """

    def __init__(
        self,
        features: Callable[[Mapping[str, Any]], Mapping[str, Any]],
        kinds: Mapping[str, str],
        categories: Mapping[str, Sequence[str]],
        model: Classifier,
        threshold: float,
    ) -> None:
        self.features = features
        self.kinds = dict(kinds)
        codes = {name: {value: float(code) for code, value in enumerate(values)} for name, values in categories.items()}
        self._coding = [(name, codes[name] if kind == "category" else None) for name, kind in self.kinds.items()]
        self.model = model
        self.threshold = threshold

    def row(self, record: Mapping[str, Any], index: int = 0) -> list[float]:
        """Computes one row of the model's input.

        Args:
            record: A clean request record.
            index: Its position in the batch, for the error.

        Returns:
            One float per feature.

        Raises:
            ScoreError: The feature code fails, or returns a value that is not of the feature's kind.
        """
        try:
            values = self.features(record)
        except Exception as error:
            raise ScoreError(f"features() failed: {type(error).__name__}: {error}", index) from error
        if values.keys() != self.kinds.keys():
            differing = ", ".join(sorted(values.keys() ^ self.kinds.keys()))
            raise ScoreError(f"features() and FEATURES do not agree on: {differing}", index)
        row = []
        for name, codes in self._coding:
            value = values[name]
            # The fast path for a finite float: infinity and NaN minus themselves are NaN, not zero.
            plain = codes is None and type(value) is float and value - value == 0.0
            row.append(value if plain else self._encode(name, codes, value, index))
        return row

    def matrix(self, records: Sequence[Mapping[str, Any]]) -> np.ndarray:
        """Computes the model's input.

        Returns:
            float64 array of shape (rows, features).

        Raises:
            ScoreError: A record cannot be encoded; the error has its index.
        """
        return self.stack([self.row(record, index) for index, record in enumerate(records)])

    @staticmethod
    def stack(rows: Sequence[Sequence[float]]) -> np.ndarray:
        """Stacks rows of :meth:`row` as a float64 array of shape (rows, features)."""
        return np.array(rows, dtype=np.float64)

    def probabilities(self, records: Sequence[Mapping[str, Any]]) -> np.ndarray:
        """Computes the probability of label 1.

        Returns:
            float64 array of shape (rows,).

        Raises:
            ScoreError: A record cannot be scored; the error has its index.
        """
        return self.score(self.matrix(records))

    def score(self, matrix: np.ndarray) -> np.ndarray:
        """Computes the probability of label 1 for rows that :meth:`matrix` or :meth:`stack` made.

        Returns:
            float64 array of shape (rows,).

        Raises:
            ScoreError: The model refuses a row or returns a probability that is not finite; the error has its index.
        """
        try:
            result = np.asarray(self.model.predict_proba(matrix)[:, 1], dtype=np.float64)
        except ValueError as error:
            if len(matrix) == 1:
                raise ScoreError(f"the model refuses the row: {error}") from error
            return np.concatenate([self._score_one(matrix, index) for index in range(len(matrix))])
        not_finite = np.flatnonzero(~np.isfinite(result))
        if not_finite.size:
            raise ScoreError("the model's probability is not a number", int(not_finite[0]))
        return result

    def prediction(self, probability: float) -> int:
        """Returns 1 at or above the threshold, else 0."""
        return int(probability >= self.threshold)

    def _score_one(self, matrix: np.ndarray, index: int) -> np.ndarray:
        try:
            return self.score(matrix[index : index + 1])
        except ScoreError as error:
            raise ScoreError(str(error), index) from error

    def _encode(self, name: str, codes: Mapping[str, float] | None, value: Any, index: int) -> float:
        if value is None:
            return math.nan
        if codes is not None:
            if not isinstance(value, str):
                raise ScoreError(f"feature {name} is a category, but its value is a {type(value).__name__}", index)
            return codes.get(value, math.nan)
        if not isinstance(value, (int, float)):
            raise ScoreError(f"feature {name} is a number, but its value is a {type(value).__name__}", index)
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isinf(number):
            raise ScoreError(f"feature {name} is too large", index)
        return number
