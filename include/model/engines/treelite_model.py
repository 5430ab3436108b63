"""A tree ensemble in Treelite: compact and quick to load, for forests that are too large for ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import treelite

from include.model.engines.inputs import InputCheck, InputSpec


class TreeliteModel:
    """A Treelite model, read from a file: deserializing it from bytes takes twenty times as long."""

    name = "treelite"

    def __init__(self, path: Path, inputs: InputSpec) -> None:
        self._model = treelite.Model.deserialize(path)
        self._dtype = np.dtype(inputs.dtype)
        self._check = InputCheck(inputs)

    def predict_proba(self, matrix: np.ndarray) -> np.ndarray:
        """Scores float64 (rows, features); returns float64 (rows, 2)."""
        matrix = np.asarray(matrix, np.float64)
        self._check.matrix(matrix)
        probability = self._predict(matrix)
        return np.column_stack([1.0 - probability, probability])

    def one(self, row: list[float]) -> float:
        """Returns the probability of label 1."""
        self._check.row(row)
        return float(self._predict(np.array([row], np.float64))[0])

    def _predict(self, matrix: np.ndarray) -> np.ndarray:
        # Treelite compares in float64; scikit-learn's forests and XGBoost round the values to float32 first, where
        # XGBoost takes a large one for an infinity.
        with np.errstate(over="ignore"):
            rounded = np.ascontiguousarray(matrix.astype(self._dtype).astype(np.float64))
        answer = treelite.gtil.predict(self._model, rounded, nthread=1)
        return answer.reshape(len(matrix), -1)[:, -1]
