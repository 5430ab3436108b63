"""The gate between the reference and a fast form: equal probabilities, labels and refusals, or the fast form does not serve.

It looks where engines part: on split thresholds and one unit in the last place beside them, at missing values and unknown
categories, and at values that scikit-learn refuses.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from include.model.engines import Model, Parity
from include.model.engines.inputs import FLOAT32_LARGEST
from include.model.engines.probes import on_splits
from include.model.engines.trees import Ensemble

TOLERANCE = 1e-6
MINIMUM_ROWS = 10_000
MOST_VALIDATION_ROWS = 20_000
SINGLE_ROWS = 400
ROWS_A_FEATURE = 20
REFUSALS = (math.nan, math.inf, -math.inf, FLOAT32_LARGEST, math.nextafter(FLOAT32_LARGEST, math.inf), 1e300, -1e300)


class Gate:
    """Rows to compare on, and the reference's answers. Deterministic for a seed.

    ``matrix``: real rows, float64 (rows, features), of which a sample may do. ``golden``: rows that are all compared.
    ``categories``: how many codes each category column has. ``ensemble``: the reference's trees, if it has any. ``missing``:
    whether the reference takes NaN.
    """

    def __init__(
        self,
        reference: Model,
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
        real = matrix
        if len(matrix) > MOST_VALIDATION_ROWS:
            real = matrix[np.sort(rng.choice(len(matrix), MOST_VALIDATION_ROWS, replace=False))]
        on_threshold, others = on_splits(ensemble, real, categories, rng) if ensemble else (real[:0], real[:0])
        parts = [real, golden, on_threshold, others, _category_rows(real, categories, rng), _missing_rows(real, rng)]
        if not missing:
            parts = [part[~np.isnan(part).any(axis=1)] for part in parts]
        lacking = MINIMUM_ROWS - sum(map(len, parts))
        if lacking > 0:
            parts.append(_perturbed(real, categories, lacking, rng))
        self.rows = np.concatenate(parts)
        self.on_threshold = len(on_threshold)
        self._reference = reference
        self._threshold = threshold
        self._expected = reference.predict_proba(self.rows)[:, 1]
        self._single = np.sort(rng.choice(len(self.rows), SINGLE_ROWS, replace=False))
        self._odd = [(row, _answer(reference, row)) for row in _odd_rows(real[0])]

    def check(self, fast: Model) -> Parity:
        """Errors: what ``fast`` raises for a row that the reference scores, unless that is a refusal (``ValueError``)."""
        batch = fast.predict_proba(self.rows)[:, 1]
        one = np.array([fast.one(row) for row in self.rows[self._single].tolist()])
        rows = np.concatenate([self.rows, self.rows[self._single]])
        got, expected = np.concatenate([batch, one]), np.concatenate([self._expected, self._expected[self._single]])
        difference = np.abs(got - expected)
        flipped = (got >= self._threshold) != (expected >= self._threshold)
        # Not "greater than": a NaN must not pass.
        wrong = np.flatnonzero(~(difference <= TOLERANCE) | flipped)
        reason = None
        if wrong.size:
            at = int(wrong[0])
            reason = f"row {rows[at].tolist()} scores {float(got[at])!r}, with {self._reference.name} {float(expected[at])!r}"
        largest = float(difference.max())
        return Parity(
            engine=fast.name,
            rows=len(self.rows),
            on_threshold=self.on_threshold,
            max_difference=largest if math.isfinite(largest) else None,
            flipped=int(flipped.sum()),
            passed=not wrong.size and (reason := self._refuses_otherwise(fast)) is None,
            reason=reason,
        )

    def failed(self, engine: str, reason: str) -> Parity:
        """Of a fast form that could not be compared."""
        return Parity(
            engine=engine, rows=0, on_threshold=0, max_difference=None, flipped=None, passed=False, reason=reason
        )

    def _refuses_otherwise(self, fast: Model) -> str | None:
        for row, expected in self._odd:
            for answer in (_answer(fast, row), _answer_one(fast, row)):
                if not _same(answer, expected):
                    said = ["refused" if value is None else repr(value) for value in (answer, expected)]
                    return f"row {row.tolist()} is {said[0]}, with {self._reference.name} {said[1]}"
        return None


def _category_rows(real: np.ndarray, categories: Mapping[int, int], rng: np.random.Generator) -> np.ndarray:
    """Every code of every category."""
    return np.concatenate(
        [real[:0], *(_with(real, at, np.arange(count, dtype=float), rng) for at, count in categories.items())]
    )


def _missing_rows(real: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Each feature missing (for a category also: unknown), and all of them."""
    nan = np.full(ROWS_A_FEATURE, np.nan)
    parts = [_with(real, feature, nan, rng) for feature in range(real.shape[1])]
    return np.concatenate([*parts, np.full((1, real.shape[1]), np.nan)])


def _perturbed(real: np.ndarray, categories: Mapping[int, int], count: int, rng: np.random.Generator) -> np.ndarray:
    """Real rows with each number moved by a tenth of its spread; a category keeps its code."""
    rows = real[rng.integers(len(real), size=count)]
    known = np.where(np.isnan(real), 0.0, real)
    spread = known.std(axis=0)
    spread[list(categories)] = 0.0
    return rows + 0.1 * spread * rng.normal(size=rows.shape)


def _with(real: np.ndarray, feature: int, values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Real rows, one a value, with this feature replaced."""
    rows = real[rng.integers(len(real), size=len(values))]
    rows[:, feature] = values
    return rows


def _odd_rows(row: np.ndarray) -> list[np.ndarray]:
    """Rows that an estimator may refuse: each such value in each feature."""
    rows = []
    for value in REFUSALS:
        for feature in range(len(row)):
            odd = row.copy()
            odd[feature] = value
            rows.append(odd)
    return rows


def _answer(model: Model, row: np.ndarray) -> float | None:
    """``None``: refused."""
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            return float(model.predict_proba(row[np.newaxis])[0, 1])
    except ValueError:
        return None


def _answer_one(model: Model, row: np.ndarray) -> float | None:
    try:
        return model.one(row.tolist())
    except ValueError:
        return None


def _same(answer: float | None, expected: float | None) -> bool:
    if answer is None or expected is None:
        return answer is expected
    return abs(answer - expected) <= TOLERANCE or (math.isnan(answer) and math.isnan(expected))
