"""The parity gate: a fast form serves only if its probabilities, labels and refusals equal those of the reference.

Tests inputs on which engines tend to disagree: values on and next to split thresholds, missing values, unknown
categories, and values that scikit-learn refuses.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from include.model.engines import Parity, ScoringModel
from include.model.engines.parity_rows import boundary_rows, comparison_rows
from include.model.engines.trees import Ensemble
from include.model.tolerances import PROBABILITY_TOLERANCE

SINGLE_ROWS = 400


class ParityGate:
    """Rows to compare on, and the reference's answers. Deterministic for a seed.

    Args:
        reference: The model to compare with.
        matrix: Real rows, float64 array of shape (rows, features). Many are sampled.
        golden: Rows that are all compared, float64 array of shape (rows, features).
        categories: Number of codes of each category column.
        ensemble: The reference's trees, if it is a tree ensemble.
        missing: Whether the reference accepts NaN.
        threshold: Probability from which the prediction is 1.
        seed: Seed of the random rows.
    """

    def __init__(
        self,
        reference: ScoringModel,
        matrix: np.ndarray,
        golden: np.ndarray,
        *,
        categories: Mapping[int, int],
        ensemble: Ensemble | None,
        missing: bool,
        threshold: float,
        seed: int,
    ) -> None:
        rng = np.random.default_rng(seed)
        self.rows, self.on_threshold = comparison_rows(
            matrix, golden, categories=categories, ensemble=ensemble, missing=missing, rng=rng
        )
        self._reference = reference
        self._threshold = threshold
        self._expected = reference.predict_proba(self.rows)[:, 1]
        self._single = np.sort(rng.choice(len(self.rows), SINGLE_ROWS, replace=False))
        # The first of the rows is a real one.
        self._boundary = [(row, _score_batch(reference, row)) for row in boundary_rows(self.rows[0])]

    def check(self, fast: ScoringModel) -> Parity:
        """Compares a fast form with the reference, in one batch and row by row.

        Raises:
            Exception: Whatever ``fast`` raises for a row that the reference scores.
        """
        batch = fast.predict_proba(self.rows)[:, 1]
        single = np.array([fast.one(row) for row in self.rows[self._single].tolist()])
        rows = np.concatenate([self.rows, self.rows[self._single]])
        actual, expected = (
            np.concatenate([batch, single]),
            np.concatenate([self._expected, self._expected[self._single]]),
        )
        difference = np.abs(actual - expected)
        flipped = (actual >= self._threshold) != (expected >= self._threshold)
        # Written so that a NaN does not pass.
        wrong = np.flatnonzero(~(difference <= PROBABILITY_TOLERANCE) | flipped)
        reason: str | None
        if wrong.size:
            first = int(wrong[0])
            # This text and that of _different_refusal are part of the manifest, so they decide the bundle digest.
            reason = (
                f"row {rows[first].tolist()} scores {float(actual[first])!r}, "
                f"with {self._reference.name} {float(expected[first])!r}"
            )
        else:
            reason = self._different_refusal(fast)
        largest = float(difference.max())
        return Parity(
            engine=fast.name,
            rows=len(self.rows),
            on_threshold=self.on_threshold,
            max_difference=largest if math.isfinite(largest) else None,
            flipped=int(flipped.sum()),
            passed=reason is None,
            reason=reason,
        )

    def failed(self, engine: str, reason: str) -> Parity:
        """Returns the result for a fast form that could not be made, loaded or compared."""
        return Parity(
            engine=engine, rows=0, on_threshold=0, max_difference=None, flipped=None, passed=False, reason=reason
        )

    def _different_refusal(self, fast: ScoringModel) -> str | None:
        for row, expected in self._boundary:
            for answer in (_score_batch(fast, row), _score_single(fast, row)):
                if not _same(answer, expected):
                    actual, wanted = ("refused" if value is None else repr(value) for value in (answer, expected))
                    return f"row {row.tolist()} is {actual}, with {self._reference.name} {wanted}"
        return None


def _score_batch(model: ScoringModel, row: np.ndarray) -> float | None:
    with np.errstate(over="ignore", invalid="ignore"):
        return _unless_refused(lambda: float(model.predict_proba(row[np.newaxis])[0, 1]))


def _score_single(model: ScoringModel, row: np.ndarray) -> float | None:
    return _unless_refused(lambda: model.one(row.tolist()))


def _unless_refused(score: Callable[[], float]) -> float | None:
    try:
        return score()
    except ValueError:
        return None


def _same(answer: float | None, expected: float | None) -> bool:
    if answer is None or expected is None:
        return answer is expected
    return abs(answer - expected) <= PROBABILITY_TOLERANCE or (math.isnan(answer) and math.isnan(expected))
