"""Which rows a model takes. Only scikit-learn checks its input, so a fast form must refuse what the reference refuses."""

from __future__ import annotations

import math
import sys
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

# From the half-way point on, a float64 is rounded to the float32 infinity.
FLOAT32_LARGEST = math.nextafter(2.0**128 - 2.0**103, 0.0)


class Inputs(BaseModel):
    """``dtype``: what a value is rounded to first. ``finite``: by feature, whether infinities (of that dtype) are refused.
    ``missing``: whether NaN is taken.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    dtype: Literal["float32", "float64"]
    finite: tuple[bool, ...] = Field(min_length=1)
    missing: bool

    @property
    def features(self) -> int:
        """How many there are."""
        return len(self.finite)

    @property
    def largest(self) -> list[float]:
        """By feature, the largest magnitude that is taken."""
        largest = FLOAT32_LARGEST if self.dtype == "float32" else sys.float_info.max
        return [largest if finite else math.inf for finite in self.finite]


class InputCheck:
    """Refuses what :class:`Inputs` do not take, for one row (the hot path: plain floats) and for many."""

    def __init__(self, inputs: Inputs) -> None:
        self._inputs = inputs
        self._largest = inputs.largest
        self._missing = inputs.missing

    def row(self, row: list[float]) -> None:
        """Errors: ``ValueError`` when the row is refused."""
        # NaN is within no bounds.
        for value, largest in zip(row, self._largest, strict=True):
            if not -largest <= value <= largest and (value == value or not self._missing):
                self.matrix(np.array([row], np.float64))

    def matrix(self, matrix: np.ndarray) -> None:
        """Errors: ``ValueError`` when one of the rows of float64 (rows, features) is refused."""
        if matrix.ndim != 2 or matrix.shape[1] != self._inputs.features:
            raise ValueError(f"the model takes {self._inputs.features} features, not an array of shape {matrix.shape}")
        if not self._missing and np.isnan(matrix).any():
            raise ValueError("the model takes no missing value")
        if (np.abs(matrix) > self._largest).any():
            raise ValueError(f"a value is infinite or too large for {self._inputs.dtype}")


def measure(reference: Any, features: int) -> Inputs:
    """What a fitted scikit-learn estimator takes, by asking it; the parity gate then tries each value in each feature."""

    def takes(row: np.ndarray) -> bool:
        try:
            with np.errstate(over="ignore", invalid="ignore"):
                reference.predict_proba(row[np.newaxis])
        except ValueError:
            return False
        return True

    finite = tuple(not takes(np.where(np.arange(features) == at, np.inf, 0.0)) for at in range(features))
    narrow = any(finite) and not takes(np.full(features, 1e300))
    return Inputs(dtype="float32" if narrow else "float64", finite=finite, missing=takes(np.full(features, np.nan)))
