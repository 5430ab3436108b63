"""Which input values a model accepts.

Only scikit-learn checks its input, so a fast form must refuse what scikit-learn refuses.
"""

from __future__ import annotations

import math
import sys
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from include.model.score import Classifier

# The largest float64 that is not rounded to the float32 infinity: from halfway between the largest float32 and 2^128
# on, it is (IEEE 754-2019, 4.3.1, roundTiesToEven).
FLOAT32_LARGEST = math.nextafter(2.0**128 - 2.0**103, 0.0)


class InputSpec(BaseModel):
    """The input values that a model accepts. It is part of the manifest.

    Attributes:
        dtype: The type to which a value is rounded first. scikit-learn's forests round to float32:
            https://scikit-learn.org/stable/modules/generated/sklearn.ensemble.RandomForestClassifier.html
            (``predict_proba``).
        finite: For each feature, whether infinities (of that type) are refused.
        missing: Whether NaN is accepted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    dtype: Literal["float32", "float64"]
    finite: tuple[bool, ...] = Field(min_length=1)
    missing: bool

    @property
    def features(self) -> int:
        """Number of features."""
        return len(self.finite)

    @property
    def largest(self) -> list[float]:
        """The largest magnitude that is accepted, for each feature."""
        largest = FLOAT32_LARGEST if self.dtype == "float32" else sys.float_info.max
        return [largest if finite else math.inf for finite in self.finite]


class InputCheck:
    """Refuses the values that an :class:`InputSpec` does not accept."""

    def __init__(self, inputs: InputSpec) -> None:
        self._inputs = inputs
        self._largest = inputs.largest
        self._missing = inputs.missing

    def row(self, row: list[float]) -> None:
        """Checks one row without making an array: the service's fast path.

        Raises:
            ValueError: The row is refused.
        """
        # Any comparison with NaN is false.
        for value, largest in zip(row, self._largest, strict=True):
            if not -largest <= value <= largest and (value == value or not self._missing):
                self.matrix(np.array([row], np.float64))

    def matrix(self, matrix: np.ndarray) -> None:
        """Checks a float64 array of shape (rows, features).

        Raises:
            ValueError: The shape is wrong, or one of the rows is refused.
        """
        if matrix.ndim != 2 or matrix.shape[1] != self._inputs.features:
            raise ValueError(f"the model takes {self._inputs.features} features, not an array of shape {matrix.shape}")
        if not self._missing and np.isnan(matrix).any():
            raise ValueError("the model takes no missing value")
        if (np.abs(matrix) > self._largest).any():
            raise ValueError(f"a value is infinite or too large for {self._inputs.dtype}")


def probe_inputs(reference: Classifier, features: int) -> InputSpec:
    """Finds out what a fitted scikit-learn estimator accepts, by scoring rows of extreme values.

    The parity gate then compares every such value in every feature.
    """

    def accepts(row: np.ndarray) -> bool:
        try:
            with np.errstate(over="ignore", invalid="ignore"):
                reference.predict_proba(row[np.newaxis])
        except ValueError:
            return False
        return True

    finite = tuple(not accepts(np.where(np.arange(features) == feature, np.inf, 0.0)) for feature in range(features))
    narrow = any(finite) and not accepts(np.full(features, 1e300))
    return InputSpec(
        dtype="float32" if narrow else "float64", finite=finite, missing=accepts(np.full(features, np.nan))
    )
