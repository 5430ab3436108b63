from __future__ import annotations

import math

import numpy as np
import pytest

from include.model.errors import ScoreError
from include.model.score import Scorer


class First:
    """The probability is the first feature; a value above 1 is refused, as scikit-learn refuses rows."""

    def predict_proba(self, matrix: np.ndarray) -> np.ndarray:
        if (matrix[:, 0] > 1).any():
            raise ValueError("too large for this model")
        return np.column_stack([1 - matrix[:, 0], matrix[:, 0]])


def _scorer(features=dict) -> Scorer:
    return Scorer(features, {"p": "number", "kind": "category"}, {"kind": ["a", "b"]}, First(), 0.5)


@pytest.mark.parametrize(
    ("record", "row"),
    [
        ({"p": 0.5, "kind": "b"}, [0.5, 1.0]),
        ({"kind": "a", "p": 1}, [1.0, 0.0]),
        ({"p": None, "kind": None}, [math.nan, math.nan]),
        ({"p": math.nan, "kind": "never seen"}, [math.nan, math.nan]),
        ({"p": True, "kind": "a"}, [1.0, 0.0]),
    ],
)
def test_rows(record, row):
    np.testing.assert_equal(_scorer().row(record), row)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"p": "0.5", "kind": "a"}, "feature p is a number"),
        ({"p": 0.5, "kind": 3}, "feature kind is a category"),
        ({"p": math.inf, "kind": "a"}, "feature p is too large"),
        ({"p": 10**400, "kind": "a"}, "feature p is too large"),
        ({"p": 0.5}, "do not agree on: kind"),
        ({"p": 0.5, "kind": "a", "more": 1}, "do not agree on: more"),
        ({"p": 2.0, "kind": "a"}, "the model refuses the row"),
        ({"p": None, "kind": "a"}, "not a number"),
    ],
)
def test_an_error_has_the_index_of_its_record(record, reason):
    with pytest.raises(ScoreError, match=reason) as caught:
        _scorer().probabilities([{"p": 0.1, "kind": "a"}, record])
    assert caught.value.index == 1


def test_failing_feature_code():
    with pytest.raises(ScoreError, match=r"features\(\) failed: ZeroDivisionError"):
        _scorer(lambda record: 1 / 0).row({})


def test_the_threshold_is_inclusive():
    assert [_scorer().prediction(value) for value in (0.4999, 0.5, 0.5001)] == [0, 1, 1]
