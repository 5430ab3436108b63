"""Ranges of hyperparameters, how trials are drawn from them, and the median rule."""

from __future__ import annotations

from statistics import median
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.sagemaker.exceptions import ValidationError

from infra.localcloud.sagemaker.median_rule import is_hopeless
from infra.localcloud.sagemaker.search_space import Choice, NumberRange, grid_point, random_point, read_ranges

NUMBERS = {"integer": "IntegerParameterRanges", "continuous": "ContinuousParameterRanges"}


def numbers(kind: str, low: object, high: object, scaling: str = "Linear") -> dict[str, Any]:
    return {NUMBERS[kind]: [{"Name": "x", "MinValue": str(low), "MaxValue": str(high), "ScalingType": scaling}]}


def only(given_ranges: dict[str, Any]) -> NumberRange:
    (found,) = read_ranges(given_ranges)
    assert isinstance(found, NumberRange)
    return found


def drawn(given_ranges: dict[str, Any], count: int = 400) -> list[float]:
    ranges = read_ranges(given_ranges)
    return [float(random_point(ranges, 1, index, [])["x"]) for index in range(count)]


@pytest.mark.parametrize(
    ("scaling", "low", "high", "middle"),
    [
        ("Linear", 0.0, 1.0, 0.5),
        ("Logarithmic", 0.001, 10.0, 0.1),
        ("ReverseLogarithmic", 0.0, 0.99, 0.9),
        ("Auto", 0.001, 10.0, 0.1),  # by its ratio logarithmic
        ("Auto", 1.0, 3.0, 2.0),
    ],
)
def test_half_of_the_trials_lie_below_the_middle_of_the_scaled_range(
    scaling: str, low: float, high: float, middle: float
) -> None:
    values = drawn(numbers("continuous", low, high, scaling))
    assert all(low <= value <= high for value in values)
    assert only(numbers("continuous", low, high, scaling)).share(str(median(values))) == pytest.approx(0.5, abs=0.08)
    assert float(only(numbers("continuous", low, high, scaling)).at(0.5)) == pytest.approx(middle)


def test_an_integer_range_has_integers_and_both_ends() -> None:
    ranges = read_ranges(numbers("integer", 1, 3))
    texts = {random_point(ranges, 1, index, [])["x"] for index in range(100)}
    assert texts == {"1", "2", "3"}


@given(st.integers(0, 2**31), st.integers(0, 50))
def test_a_trial_depends_on_seed_and_index_alone(seed: int, index: int) -> None:
    ranges = read_ranges(numbers("continuous", 0, 1))
    assert random_point(ranges, seed, index, []) == random_point(ranges, seed, index, [])
    assert random_point(ranges, seed, index, []) != random_point(ranges, seed, index + 1, [])


def test_no_combination_is_tried_twice_while_there_is_another() -> None:
    ranges = read_ranges({"CategoricalParameterRanges": [{"Name": "x", "Values": ["a", "b", "c"]}]})
    tried: list[dict[str, str]] = []
    for index in range(3):
        tried.append(random_point(ranges, 0, index, tried))
    assert sorted(point["x"] for point in tried) == ["a", "b", "c"]
    assert random_point(ranges, 0, 3, tried)["x"] in "abc", "an exhausted space is tried again"


def test_a_grid_goes_through_every_combination() -> None:
    ranges = (Choice("a", ("1", "2")), Choice("b", ("x", "y")))
    assert [tuple(grid_point(ranges, index).values()) for index in range(4)] == [
        ("1", "x"), ("1", "y"), ("2", "x"), ("2", "y"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("ranges", "text"),
    [
        ({}, "at least one range"),
        (numbers("integer", 1.5, 3), "must be integers"),
        (numbers("continuous", "a", 3), "must be numbers"),
        (numbers("continuous", 3, 1), "must not be above"),
        (numbers("continuous", 0, "inf"), "must not be above"),
        (numbers("continuous", 0, 1, "Logarithmic"), "needs values above 0"),
        (numbers("continuous", 0, 1, "ReverseLogarithmic"), "within 0 <= x < 1"),
        (numbers("integer", 0, 1, "ReverseLogarithmic"), "within 0 <= x < 1"),
        ({**numbers("integer", 1, 2), **numbers("continuous", 0, 1)}, "one range only: x"),
    ],
)
def test_a_range_that_is_none_is_refused(ranges: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        read_ranges(ranges)


THREE = [[0.5, 0.6, 0.7], [0.6, 0.6, 0.6], [0.4, 0.5, 0.6]]


@pytest.mark.parametrize(
    ("values", "completed", "maximize", "hopeless"),
    [
        ([0.5, 0.54], THREE, True, True),  # the running averages of two steps are 0.55, 0.6 and 0.45
        ([0.5, 0.56], THREE, True, False),
        ([0.5, 0.56], THREE, False, True),
        ([0.1], THREE, True, False),  # one step says nothing
        ([], THREE, True, False),
        ([0.1, 0.1], THREE[:2], True, False),  # two trials say nothing
        ([0.1] * 4, THREE, True, False),  # none has come so far
    ],
)
def test_the_median_rule(values: list[float], completed: list[list[float]], maximize: bool, hopeless: bool) -> None:
    assert is_hopeless(values, completed, maximize=maximize) is hopeless
