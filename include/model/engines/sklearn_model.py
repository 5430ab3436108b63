"""The reference: the estimator itself, as it was pickled by the training container."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import joblib
import numpy as np


class SklearnModel:
    """``estimator`` has ``predict_proba`` over float64 (rows, features)."""

    name = "scikit-learn"

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    @classmethod
    def read(cls, path: Path) -> SklearnModel:
        """Unpickles, which runs whatever the file says: only for a file whose digest was checked."""
        return cls(joblib.load(path))

    def predict_proba(self, matrix: np.ndarray) -> np.ndarray:
        """float64 (rows, 2)."""
        return self.estimator.predict_proba(matrix)

    def one(self, row: list[float]) -> float:
        """Probability of label 1."""
        return float(self.estimator.predict_proba(np.array([row], np.float64))[0, 1])
