"""The drift bench over a few weeks: quiet on real weeks, and it speaks when a feature is corrupted."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from benchmarks.drift import History, lines, measure
from benchmarks.drift_counting import CORRUPTIONS, corrupted, counted, moments
from benchmarks.drift_history import rows
from include.model.baseline import Column, bin_of
from include.workloads import load
from tests.support.product_home import DATA

pytestmark = pytest.mark.stack
MONDAY = date(2013, 6, 17)
FEATURES = ["distance", "duration", "origin", "latitude"]


@pytest.fixture(scope="module")
def history() -> History:
    start = MONDAY - timedelta(days=66)
    return History(rows(DATA / "flights", start, MONDAY + timedelta(days=14)), load("flights"))


def test_it_is_quiet_in_real_weeks_and_speaks_when_a_feature_is_corrupted(history: History) -> None:
    outcome = measure(history, [MONDAY, MONDAY + timedelta(days=7)], FEATURES)
    assert outcome.alarms == {monday: {} for monday in outcome.weeks}
    assert set(outcome.tried.values()) == {2}
    missed = {tried for tried in outcome.tried if len(outcome.caught.get(tried, [])) < 2}
    assert missed == {("shuffled", "origin")}, "nothing correlates with it clearly"
    assert next(lines(outcome)) == "2 weeks; 0 with something confirmed although nothing was changed"


def test_the_bench_counts_as_the_monitor_does() -> None:
    number: Column = {"kind": "number", "counts": {}, "edges": [1.0, 2.0], "low": -5.0, "high": 9.0}
    values = np.array([np.nan, -6, -5, 0.5, 1, 2, 9, 9.5])
    expected: dict[str, int] = {}
    for value in values:
        expected[bin_of(number, value)] = expected.get(bin_of(number, value), 0) + 1
    assert {name: count for name, count in counted(number, values).items() if count} == expected
    found = moments("x", number, {"x": values})
    assert found["mean"] == pytest.approx(np.nanmean(values)) and found["correlation"] is None


def test_a_corrupted_feature_is_another_one_with_the_same_rows() -> None:
    values = np.arange(100.0)
    for kind in CORRUPTIONS:
        changed = corrupted("distance", values, kind, seed=1)
        assert changed is not None and len(changed) == 100 and not np.array_equal(changed, values), kind
    assert corrupted("seats", values, "unit changed", seed=1) is None
