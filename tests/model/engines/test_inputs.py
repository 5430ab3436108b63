from __future__ import annotations

import math
import sys

import numpy as np
import pytest

from include.model.engines.inputs import FLOAT32_LARGEST, InputCheck, InputSpec, probe_inputs
from tests.support.fitted_models import fitted

FLOAT32 = InputSpec(dtype="float32", finite=(True, True), missing=True)
FLOAT64 = InputSpec(dtype="float64", finite=(True, False), missing=False)
ABOVE = math.nextafter(FLOAT32_LARGEST, math.inf)


def test_float32_largest_is_the_last_value_not_rounded_to_infinity():
    with np.errstate(over="ignore"):
        assert np.isfinite(np.float32(FLOAT32_LARGEST)) and np.isinf(np.float32(ABOVE))


@pytest.mark.parametrize(
    ("inputs", "row", "reason"),
    [
        (FLOAT32, [1.0, -FLOAT32_LARGEST], None),
        (FLOAT32, [math.nan, math.nan], None),
        (FLOAT32, [ABOVE, 0.0], "too large for float32"),
        (FLOAT32, [math.nan, -ABOVE], "too large for float32"),
        (FLOAT32, [0.0, -math.inf], "too large for float32"),
        (FLOAT32, [0.0], "."),
        (FLOAT32, [0.0, 0.0, 0.0], "."),
        (FLOAT64, [sys.float_info.max, math.inf], None),
        (FLOAT64, [math.inf, 0.0], "infinite"),
        (FLOAT64, [0.0, math.nan], "no missing value"),
    ],
)
def test_single_rows_and_batches_are_refused_alike(inputs, row, reason):
    check = InputCheck(inputs)
    if reason is None:
        check.row(row)
        check.matrix(np.array([row]))
        return
    for refuse in (lambda: check.row(row), lambda: check.matrix(np.array([row]))):
        with pytest.raises(ValueError, match=reason):
            refuse()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("forest", InputSpec(dtype="float32", finite=(True,) * 5, missing=True)),
        ("boosting", InputSpec(dtype="float64", finite=(False,) * 5, missing=True)),
        ("boosting, categories", InputSpec(dtype="float64", finite=(False, True, False, True, False), missing=True)),
        ("logistic", InputSpec(dtype="float64", finite=(True,) * 5, missing=False)),
    ],
)
def test_the_accepted_inputs_of_an_estimator(name, expected):
    assert probe_inputs(fitted(name).estimator, 5) == expected
