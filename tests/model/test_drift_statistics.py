"""The statistics on counts, against scipy and against their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]

from include.model import drift_statistics as drift


@pytest.mark.parametrize("freedom", [1, 2, 3.7, 12, 60, 400])
@pytest.mark.parametrize("value", [1e-6, 0.4, 1, 5, 30, 200, 2000])
def test_the_tail_is_scipys(value: float, freedom: float) -> None:
    assert drift.chi_square_tail(value, freedom) == pytest.approx(stats.chi2.sf(value, freedom), rel=1e-9, abs=1e-300)


def test_chi_square_is_scipys_where_no_bin_is_small() -> None:
    before, after = {"a": 400.0, "b": 300.0, "c": 80.0}, {"a": 90.0, "b": 120.0, "c": 30.0}
    expected = stats.chi2_contingency([[*before.values()], [*after.values()]], correction=False)
    found = drift.chi_square(before, after)
    assert (found.value, found.freedom) == (pytest.approx(expected.statistic), expected.dof)
    assert drift.p_value(found) == pytest.approx(expected.pvalue)


def test_bins_with_few_expected_rows_count_as_one() -> None:
    before = {"a": 10_000.0, **{str(index): 10.0 for index in range(30)}}
    assert drift.chi_square(before, {"a": 500.0, "7": 1.0}).freedom == 1
    assert drift.chi_square(before, {}) == (0.0, 0)


def test_adjusted_p_values_are_scipys() -> None:
    found = np.random.default_rng(1).random(40) ** 3
    assert drift.adjusted([*found]) == pytest.approx([*stats.false_discovery_control(found)])
    assert drift.adjusted([]) == []


def test_psi_is_its_definition_and_grows_with_the_difference() -> None:
    before = {"a": 50_000.0, "b": 50_000.0}
    assert drift.psi(before, {"a": 500.0, "b": 500.0}) == pytest.approx(0, abs=1e-6)
    moved = drift.psi(before, {"a": 8000.0, "b": 2000.0})
    assert moved == pytest.approx(0.3 * math.log(0.8 / 0.5) - 0.3 * math.log(0.2 / 0.5), rel=1e-3)
    assert drift.psi(before, {"c": 1000.0}) > 5 > moved


def test_days_that_differ_from_each_other_make_a_difference_less_surprising() -> None:
    found = drift.ChiSquare(60.0, 10)
    independent = drift.p_value(found)
    clustered = drift.p_value(found, mean=50.0, variance=900.0)
    assert independent < 1e-7 < 0.1 < clustered
    assert clustered == pytest.approx(stats.chi2.sf(60 / 9, 50 / 9))


def test_an_interval_stays_within_zero_and_one() -> None:
    assert drift.interval(0.99, 0.01) == (pytest.approx(0.794, abs=1e-3), 1.0)
