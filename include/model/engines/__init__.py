"""The engines that score a bundle's model: scikit-learn, which is the reference, and the fast forms made from it.

The way from one to the other is in docs/engines.md. A process imports only the engine that its bundle names (``loading``);
``ladder`` and what it writes with are for the training container alone.
"""

from __future__ import annotations

from typing import Literal, Protocol

import numpy as np
from pydantic import BaseModel, ConfigDict

Engine = Literal["onnxruntime", "treelite", "scikit-learn"]
# The file of a bundle that each fast engine reads; the reference reads model.joblib.
FAST_FORMS: dict[Engine, str] = {"onnxruntime": "model.onnx", "treelite": "model.treelite"}


class Model(Protocol):
    """A loaded model. NaN is a missing value or an unknown category, a category is its code.

    ``one`` and ``predict_proba`` may run in two threads at once. Errors: ``ValueError`` for a row that the reference refuses.
    """

    name: str

    def predict_proba(self, matrix: np.ndarray) -> np.ndarray:
        """float64 (rows, 2), the second column the probability of label 1, of float64 (rows, features)."""

    def one(self, row: list[float]) -> float:
        """Probability of label 1 of one row: the hot path of the service."""


class Parity(BaseModel):
    """What the parity gate found of one engine; ``max_difference`` and ``flipped`` are null when there was nothing to compare."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    engine: str
    rows: int
    on_threshold: int
    max_difference: float | None
    flipped: int | None
    passed: bool
    reason: str | None = None
