"""The reference: the estimator itself, scikit-learn's or XGBoost's, as the training container pickled it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import joblib
import numpy as np


class SklearnModel:
    """An estimator with ``predict_proba`` over float64 (rows, features)."""

    name = "scikit-learn"

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    @classmethod
    def read(cls, path: Path) -> SklearnModel:
        """Unpickles a file, which runs any code that the file contains: its digest must have been checked."""
        return cls(joblib.load(path))

    def predict_proba(self, matrix: np.ndarray) -> np.ndarray:
        """Scores float64 (rows, features); returns float64 (rows, 2), of which XGBoost's are float32 numbers."""
        return np.asarray(self.estimator.predict_proba(matrix), np.float64)

    def one(self, row: list[float]) -> float:
        """Returns the probability of label 1."""
        return float(self.estimator.predict_proba(np.array([row], np.float64))[0, 1])
