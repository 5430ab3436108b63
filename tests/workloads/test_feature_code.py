"""Feature code is executed in one place, and checked there."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from include.workloads.feature_code import FeatureCode, FeatureCodeError, compute_row, load_feature_code

SOURCE = """
import math

FEATURES = {"b": "number", "a": "category"}
calls = []


def features(record):
    calls.append(record)
    return {"b": math.floor(record["x"]), "a": str(len(calls))}
"""


@pytest.mark.parametrize("source", [SOURCE, SOURCE.encode()])
def test_it_has_the_function_and_the_kinds_in_their_order(source: str | bytes) -> None:
    code = load_feature_code(source)
    assert list(code.kinds.items()) == [("b", "number"), ("a", "category")]
    assert code.features({"x": 1.5}) == {"b": 1, "a": "1"}


def test_each_load_has_globals_of_its_own() -> None:
    first, second = load_feature_code(SOURCE), load_feature_code(SOURCE)
    first.features({"x": 1})
    assert second.features({"x": 1})["a"] == "1"


def test_a_traceback_names_the_file() -> None:
    code = load_feature_code(SOURCE, "include/workloads/shop/features.py")
    with pytest.raises(KeyError) as caught:
        code.features({})
    assert str(caught.traceback[-1].path).endswith("include/workloads/shop/features.py")


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        (b"\xff", "is not Python: "),
        ("x = \0", "is not Python: "),
        ("raise ValueError('no')", "cannot be executed: ValueError: no"),
        ("FEATURES = {'a': 'number'}", "features: must be a function of one record"),
        ("def features(record): ...", "FEATURES: must be a dict of feature names to their kinds"),
        ("FEATURES = {}\nfeatures = 1", "features: must be a function of one record; FEATURES: must be a dict"),
    ],
)
def test_what_is_wrong_is_named(source: str | bytes, problem: str) -> None:
    with pytest.raises(FeatureCodeError) as caught:
        load_feature_code(source)
    assert str(caught.value).startswith(problem)


def test_the_error_can_be_pickled() -> None:
    error = FeatureCodeError([("", "is not Python")])
    assert pickle.loads(pickle.dumps(error)).problems == error.problems  # noqa: S301 - this test made the bytes


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
