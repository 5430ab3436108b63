"""The engines that score a bundle's model: scikit-learn, which is the reference, and the fast forms made from it.

``ladder`` chooses the engine, in the training container only; see docs/engines.md. A serving process imports only the
engine that its bundle names (``loading``).
"""

from __future__ import annotations

from typing import Literal, Protocol

import numpy as np
from pydantic import BaseModel, ConfigDict

Engine = Literal["native", "onnxruntime", "treelite", "scikit-learn"]
# The file of a bundle that each fast engine reads; the reference reads model.joblib.
FAST_FORMS: dict[Engine, str] = {
    "native": "model.native",
    "onnxruntime": "model.onnx",
    "treelite": "model.treelite",
}


class ScoringModel(Protocol):
    """A model loaded into an engine. NaN is a missing value or an unknown category; a category is its code.

    Both methods raise ``ValueError`` for a row that the reference refuses, and may run in two threads at once.
    """

    @property
    def name(self) -> str:
        """The engine."""
        ...

    def predict_proba(self, matrix: np.ndarray, /) -> np.ndarray:
        """Scores many rows.

        Args:
            matrix: float64 array of shape (rows, features).

        Returns:
            float64 array of shape (rows, 2), the second column the probability of label 1.
        """
        ...

    def one(self, row: list[float], /) -> float:
        """Returns the probability of label 1 of one row. This is the service's fast path."""
        ...


class Parity(BaseModel):
    """Result of the parity gate for one engine. It is part of the manifest.

    Attributes:
        engine: The engine.
        rows: Number of rows that were compared; 0 when the fast form could not be made or loaded.
        on_threshold: How many of them have a value on or next to a split threshold.
        max_difference: Largest difference of a probability. Null when nothing was compared, or when it is not finite.
        flipped: Number of rows whose label differs. Null when nothing was compared.
        passed: Whether the engine may serve.
        reason: Why not.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    engine: str
    rows: int
    on_threshold: int
    max_difference: float | None
    flipped: int | None
    passed: bool
    reason: str | None = None
