"""When a window counts as drifted."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from include.model.baseline import Column
from include.pipelines.monitor.compare import compare_columns, compare_labels

BINS = {str(index): 1000 for index in range(10)}
NUMBER: Column = {
    "kind": "number",
    "counts": {**BINS, "missing": 100},
    "edges": [float(index) for index in range(1, 10)],
    "low": -2.0,
    "high": 12.0,
    "blocks": {
        "number": 50, "rows": 200.0, "psi": 0.1, "chi_mean": 9.5, "chi_variance": 20.0,
        "missing": 0.05, "unknown": 0.0, "outside": 0.0, "mean": (4.5, 5.5), "spread": (2.5, 3.2),
    },
    "relation": {"with": "other", "range": (0.6, 0.8)},
}  # fmt: skip
CATEGORY: Column = {
    "kind": "category",
    "counts": {"0": 6000, "1": 4000, "missing": 0},
    "values": ["a", "b"],
    "known": ["a", "b"],
}
SAME: dict[str, Any] = {"mean": 5.0, "spread": 2.9, "correlation": 0.7}


def window(rows: int = 500, **changes: int) -> dict[str, int]:
    return {**dict.fromkeys(BINS, rows // 10), **changes}


def reasons(counts: dict[str, int], moments: dict[str, Any] = SAME, column: Column = NUMBER) -> list[str]:
    (found,) = compare_columns({"x": column}, {"x": counts}, {"x": moments})  # type: ignore[dict-item]
    return [reason.split(":")[0].split(" is ")[0] for reason in found["drifted"]]


def test_the_same_distribution_is_no_drift() -> None:
    assert reasons(window()) == []


@pytest.mark.parametrize(
    ("counts", "moments", "reason"),
    [
        (window(**{"0": 800}), SAME, "other distribution"),
        (window(missing=150), SAME, "23.1% are missing, at most 5.0% in training"),
        (window(above=150), SAME, "23.1% are out of range, at most 0.0% in training"),
        (window(), {**SAME, "mean": 8.0}, "the mean"),
        (window(), {**SAME, "spread": 0.0, "correlation": None}, "the standard deviation"),
        (window(), {**SAME, "spread": 13.0}, "the standard deviation"),
        (window(), {**SAME, "correlation": 0.02}, "the correlation with other"),
        (window(), {**SAME, "correlation": -0.7}, "the correlation with other"),
    ],
)
def test_each_accident_has_its_reason(counts: dict[str, int], moments: dict[str, Any], reason: str) -> None:
    assert reason in reasons(counts, moments)


def test_a_category_that_training_did_not_know() -> None:
    assert "16.7% are unknown categories, at most 0.0% in training" in reasons(
        {"0": 300, "1": 200, "unknown": 100}, dict.fromkeys(SAME), CATEGORY
    )


def test_few_rows_say_nothing() -> None:
    assert reasons({"0": 99}) == []


def test_days_that_differ_a_lot_in_training_raise_the_limits() -> None:
    column = copy.deepcopy(NUMBER)
    column["blocks"] |= {"psi": 3.0, "chi_mean": 900.0, "chi_variance": 250_000.0}
    assert reasons(window(**{"0": 800}), column=column) == []


def test_the_false_discovery_rate_counts_all_columns() -> None:
    moved = window(**{"0": 75, "1": 25})
    (alone,) = compare_columns({"x": NUMBER}, {"x": moved}, {})
    many = compare_columns(
        {str(index): NUMBER for index in range(40)}, {str(index): window() for index in range(39)} | {"39": moved}, {}
    )
    assert many[39]["p"] == alone["p"] == alone["q"] < many[39]["q"]


def test_the_rate_of_labels() -> None:
    baseline: Any = {"rows": 10_000, "positives": 2000, "range": (0.15, 0.25)}
    assert compare_labels(baseline, {"0": 700, "1": 300})["drifted"] == []
    assert compare_labels(baseline, {"0": 500, "1": 500})["drifted"] == [
        "50.0% of the labels are positive, 15.0% to 25.0% in training"
    ]
    assert compare_labels(baseline, {"1": 50})["drifted"] == [], "too few"
