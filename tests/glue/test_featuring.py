"""The features of one record, without Spark."""

from __future__ import annotations

from typing import Any

import pytest

from include.glue.featuring import compute_row
from include.workloads.feature_code import FeatureCode


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"n": 1, "c": "x"}, None),
        ({"n": None, "c": None}, None),
        ({"n": float("nan"), "c": "x"}, "features: n: is not a finite number below 1e+15"),
        ({"n": True, "c": "x"}, "features: n: is not a number"),
        ({"n": "1", "c": "x"}, "features: n: is not a number"),
        ({"n": 1, "c": 1}, "features: c: is not a string"),
        ({"n": 1}, "features: did not return exactly the names in FEATURES"),
        (None, "features: did not return exactly the names in FEATURES"),
    ],
)
def test_features_are_checked(values: Any, reason: str | None) -> None:
    computed, found = compute_row(FeatureCode(lambda record: values, {"n": "number", "c": "category"}), {})
    assert found == reason
    assert computed == ({} if reason else values)


def test_an_integer_feature_becomes_a_float() -> None:
    computed, _ = compute_row(FeatureCode(lambda record: {"n": 1}, {"n": "number"}), {})
    assert type(computed["n"]) is float


def test_a_failing_feature_function_gives_its_message() -> None:
    computed, reason = compute_row(FeatureCode(lambda record: record["gone"], {"n": "number"}), {})
    assert computed == {} and reason == "features: KeyError: 'gone'"
