"""Detects training-serving skew: features of the lake that differ from those that the service would compute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from include.model.score import Scorer
from include.model.tolerances import FEATURE_TOLERANCE
from include.training.container import JobError


def check_skew(scorer: Scorer, records: Sequence[Mapping[str, Any]], matrix: np.ndarray) -> None:
    """Compares the features of a data set with those that the serving code computes from the same rows.

    Args:
        scorer: The serving code.
        records: The request record of each row.
        matrix: The features in the data set, float64 array of shape (rows, features).

    Raises:
        JobError: A feature differs by more than :data:`FEATURE_TOLERANCE`, relative and absolute.
    """
    served = scorer.matrix(records)
    differs = ~np.isclose(served, matrix, rtol=FEATURE_TOLERANCE, atol=FEATURE_TOLERANCE, equal_nan=True)
    if differs.any():
        row, column = (int(index) for index in np.argwhere(differs)[0])
        raise JobError(
            f"Feature {list(scorer.kinds)[column]} differs between the data set ({matrix[row, column]!r}) and the "
            f"serving code ({served[row, column]!r}), in {int(differs.any(axis=1).sum())} of {len(records)} rows. "
            f"Process the days again with this feature code. The first such request: {records[row]}"
        )
