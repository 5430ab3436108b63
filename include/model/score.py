"""Scoring: request record → ``features()`` → row of float64 → probability. The one path of training, evaluation and service.

A category is coded by its place in the bundle's vocabulary; a missing value and an unknown category are both NaN, which every
model of ``estimators.py`` was trained to take.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np


class ScoreError(ValueError):
    """A record cannot be scored; ``index`` is its place in the batch."""

    def __init__(self, message: str, index: int = 0) -> None:
        super().__init__(message)
        self.index = index


class Scorer:
    """A model with its own feature code. ``model`` has scikit-learn's ``predict_proba`` over float64 (rows, features)."""

    def __init__(
        self,
        features: Callable[[Mapping[str, Any]], Mapping[str, Any]],
        kinds: Mapping[str, str],
        categories: Mapping[str, Sequence[str]],
        model: Any,
        threshold: float,
    ) -> None:
        self.features = features
        self.kinds = dict(kinds)
        codes = {name: {value: float(code) for code, value in enumerate(values)} for name, values in categories.items()}
        self._coding = [(name, codes[name] if kind == "category" else None) for name, kind in self.kinds.items()]
        self.model = model
        self.threshold = threshold

    def row(self, record: Mapping[str, Any], index: int = 0) -> list[float]:
        """One row of the model's input, in the order of the manifest's features. Errors: :class:`ScoreError`."""
        try:
            values = self.features(record)
        except Exception as error:
            raise ScoreError(f"features() failed: {type(error).__name__}: {error}", index) from error
        if values.keys() != self.kinds.keys():
            odd = ", ".join(sorted(values.keys() ^ self.kinds.keys()))
            raise ScoreError(f"features() and FEATURES do not agree on: {odd}", index)
        row = []
        for name, codes in self._coding:
            value = values[name]
            # A finite float is itself; inf and NaN are what do not give zero here.
            plain = codes is None and type(value) is float and value - value == 0.0
            row.append(value if plain else self._encode(name, codes, value, index))
        return row

    def matrix(self, records: Sequence[Mapping[str, Any]]) -> np.ndarray:
        """float64 (rows, features)."""
        return self.stack([self.row(record, index) for index, record in enumerate(records)])

    @staticmethod
    def stack(rows: Sequence[Sequence[float]]) -> np.ndarray:
        """Rows of :meth:`row` as float64 (rows, features)."""
        return np.array(rows, dtype=np.float64)

    def probabilities(self, records: Sequence[Mapping[str, Any]]) -> np.ndarray:
        """float64 (rows,): probability of label 1. A bad row raises :class:`ScoreError` with its index."""
        return self.score(self.matrix(records))

    def score(self, matrix: np.ndarray) -> np.ndarray:
        """Probabilities of rows that :meth:`matrix` made."""
        try:
            result = np.asarray(self.model.predict_proba(matrix)[:, 1], dtype=np.float64)
        except ValueError as error:
            if len(matrix) == 1:
                raise ScoreError(f"the model refuses the row: {error}") from error
            return np.concatenate([self._score_one(matrix, index) for index in range(len(matrix))])
        unreadable = np.flatnonzero(~np.isfinite(result))
        if unreadable.size:
            raise ScoreError("the model's probability is not a number", int(unreadable[0]))
        return result

    def prediction(self, probability: float) -> int:
        """1 at or above the threshold, else 0."""
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
