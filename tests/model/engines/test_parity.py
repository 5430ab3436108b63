from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from include.model.engines.parity import ParityGate
from include.model.engines.parity_rows import MINIMUM_ROWS
from include.model.engines.trees import Ensemble, Tree

GOLDEN = np.array([[0.123, 2.0], [-0.123, 3.0]])
# Two trees of one split each: the first feature at 0.25, the second at 3.
ENSEMBLE = Ensemble(
    [
        Tree(
            leaf=np.array([False, True, True]),
            feature=np.array([feature, 0, 0]),
            threshold=np.array([threshold, 0.0, 0.0]),
            true=np.array([1, -1, -1]),
            false=np.array([2, -1, -1]),
            missing_true=np.zeros(3, bool),
            value=np.array([0.0, 0.2, 0.8]),
            categories={},
        )
        for feature, threshold in ((0, 0.25), (1, 3.0))
    ],
    features=2,
    mean=True,
    offset=0.0,
)


class Reference:
    """0.2 where the first feature is at most 0.25, else 0.8; refuses infinities."""

    name = "reference"

    def __init__(self) -> None:
        self.calls = 0

    def predict_proba(self, matrix: np.ndarray) -> np.ndarray:
        if np.isinf(matrix).any():
            raise ValueError("infinite")
        probability = self.score(matrix)
        return np.column_stack([1 - probability, probability])

    def score(self, matrix: np.ndarray) -> np.ndarray:
        return np.where(matrix[:, 0] <= 0.25, 0.2, 0.8)

    def one(self, row: list[float]) -> float:
        return float(self.predict_proba(np.array([row]))[0, 1])


class Below(Reference):
    def score(self, matrix):
        return np.where(matrix[:, 0] < 0.25, 0.2, 0.8)


class Float32(Reference):
    def score(self, matrix):
        return super().score(matrix.astype(np.float32))


class Missing(Reference):
    def score(self, matrix):
        return np.where(np.isnan(matrix[:, 1]), 0.3, super().score(matrix))


class Code(Reference):
    def score(self, matrix):
        return np.where(matrix[:, 1] == 6, 0.3, super().score(matrix))


class NotANumber(Reference):
    def score(self, matrix):
        return np.where(np.isnan(matrix[:, 1]), np.nan, super().score(matrix))


class SlightlyOff(Reference):
    def score(self, matrix):
        return super().score(matrix) + 2e-6


class SingleRowsOff(Reference):
    def one(self, row):
        return super().one(row) + 0.001


class AcceptsAll(Reference):
    def predict_proba(self, matrix):
        return super().predict_proba(np.where(np.isinf(matrix), 1.0, matrix))


class SingleAcceptsAll(Reference):
    def one(self, row):
        return super().one([1.0 if math.isinf(value) else value for value in row])


class RefusesMore(Reference):
    def predict_proba(self, matrix):
        if (np.abs(matrix) >= 1e300).any():
            raise ValueError("too large")
        return super().predict_proba(matrix)


def _gate(reference: Reference | None = None, rows: int = 300, **changes: Any) -> ParityGate:
    rng = np.random.default_rng(1)
    # All numbers are far from the split, no value is missing, and code 6 does not occur.
    matrix = np.column_stack([rng.choice([-1.0, 1.0], rows), rng.integers(0, 6, rows)])
    options: dict[str, Any] = {
        "categories": {1: 7},
        "ensemble": ENSEMBLE,
        "missing": True,
        "threshold": 0.5,
        "seed": 7,
    } | changes
    return ParityGate(reference or Reference(), matrix, GOLDEN, **options)


def test_the_same_model_passes():
    parity = _gate().check(Reference())
    assert parity.passed and parity.max_difference == 0 and parity.flipped == 0 and parity.reason is None
    assert parity.rows >= MINIMUM_ROWS and parity.on_threshold == 2 * 5


@pytest.mark.parametrize("wrong", [Below, Float32, Missing, Code, NotANumber, SlightlyOff, SingleRowsOff])
def test_a_model_that_scores_differently_fails(wrong):
    parity = _gate().check(wrong())
    assert not parity.passed and parity.reason and "scores" in parity.reason and "with reference" in parity.reason


@pytest.mark.parametrize("wrong", [AcceptsAll, SingleAcceptsAll, RefusesMore])
def test_a_model_that_refuses_other_rows_fails(wrong):
    parity = _gate().check(wrong())
    assert not parity.passed and parity.max_difference == 0 and parity.reason and "refused" in parity.reason


def test_a_probability_that_is_nan_fails_even_with_the_same_label():
    parity = _gate(threshold=0.95).check(NotANumber())
    assert not parity.passed and parity.flipped == 0 and parity.max_difference is None
    assert parity.reason and "scores nan" in parity.reason


def test_a_flipped_label_fails_even_within_the_tolerance():
    class AtThreshold(Reference):
        def score(self, matrix):
            return np.full(len(matrix), 0.5)

    class JustBelow(Reference):
        def score(self, matrix):
            return np.full(len(matrix), 0.5 - 1e-9)

    parity = _gate(AtThreshold()).check(JustBelow())
    assert not parity.passed
    assert parity.max_difference is not None and parity.max_difference < 1e-6
    assert parity.flipped is not None and parity.flipped > MINIMUM_ROWS


def test_the_rows_depend_on_the_seed_only():
    np.testing.assert_array_equal(_gate().rows, _gate().rows)
    assert not np.array_equal(_gate().rows, _gate(seed=8).rows, equal_nan=True)


def test_the_rows_have_every_code_every_threshold_and_its_neighbours():
    rows = _gate().rows
    assert set(range(7)) <= set(rows[:, 1])
    beside = [0.25, np.nextafter(0.25, 0), np.nextafter(0.25, 1)]
    beside += [float(np.nextafter(np.float32(0.25), np.float32(side))) for side in (0, 1)]
    assert set(beside) <= set(rows[:, 0])
    assert np.isnan(rows).any(axis=0).all() and np.isnan(rows).all(axis=1).any()


def test_no_value_is_missing_when_the_reference_refuses_missing_values():
    assert not np.isnan(_gate(missing=False, ensemble=None).rows).any()


def test_a_large_validation_split_is_sampled():
    rows = _gate(rows=40_000).rows
    assert MINIMUM_ROWS < len(rows) < 25_000
    assert {0.123, -0.123} <= set(rows[:, 0]), "golden rows are never left out"
