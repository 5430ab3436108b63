"""The values of metric math: numbers, time series and arrays of them; its operators and functions of values."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from infra.localcloud.actions import AwsError

# A time series: values by the beginning of their period. A period without data is not in it.
Series = dict[float, float]
Value = float | Series | list[Any]


def invalid(text: str) -> AwsError:
    """The error of an expression that cannot be evaluated."""
    return AwsError("ValidationError", f"Error in expression: {text}")


def listed(value: Value) -> list[Any]:
    """The members of an array; of another value the value itself."""
    return value if isinstance(value, list) else [value]


# --- operators ---


def pointwise(function: Callable[..., float | None], values: Sequence[Value]) -> Value:
    """Applies a function at each time at which all series have a value, and to each member of an array."""
    arrays = [value for value in values if isinstance(value, list)]
    if arrays:
        if len(arrays) > 1:
            raise invalid("an operator takes at most one array")
        return [pointwise(function, [one if value is arrays[0] else value for value in values]) for one in arrays[0]]
    series = [value for value in values if isinstance(value, dict)]
    if not series:
        result = function(*values)
        if result is None:
            raise invalid("the result of constants is not a number")
        return result
    made: Series = {}
    for time in sorted(set(series[0]).intersection(*series[1:])):
        point = function(*(value[time] if isinstance(value, dict) else value for value in values))
        if point is not None and math.isfinite(point):
            made[time] = point
    return made


def _divide(left: float, right: float) -> float | None:
    return left / right if right else None


def _power(left: float, right: float) -> float | None:
    try:
        result = left**right
    except (OverflowError, ZeroDivisionError):
        return None
    return result if isinstance(result, float) else None  # a root of a negative number is complex


def _truth(test: Callable[[float, float], Any]) -> Callable[[float, float], float]:
    return lambda left, right: 1.0 if test(left, right) else 0.0


OPERATORS: Mapping[str, Callable[..., float | None]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "^": _power,
    "==": _truth(operator.eq),
    "!=": _truth(operator.ne),
    "<": _truth(operator.lt),
    "<=": _truth(operator.le),
    ">": _truth(operator.gt),
    ">=": _truth(operator.ge),
    "AND": _truth(lambda left, right: left and right),
    "OR": _truth(lambda left, right: left or right),
}

# --- functions of values ---


def _reduced(function: Callable[[Sequence[float]], float]) -> Callable[[Value], Value]:
    """Of a series one number over all times; of an array a series over its members, at each time that any of them has.

    A number in an array counts at each of these times.
    """

    def reduce(value: Value) -> Value:
        if isinstance(value, dict):
            return function(list(value.values())) if value else {}
        members = listed(value)
        times = sorted({time for member in members if isinstance(member, dict) for time in member})
        if not any(isinstance(member, dict) for member in members):
            return function(members)
        return {
            time: function([m[time] if isinstance(m, dict) else m for m in members if _has(m, time)]) for time in times
        }

    return reduce


def _has(member: Any, time: float) -> bool:
    return not isinstance(member, dict) or time in member


def _each(function: Callable[[float], float | None]) -> Callable[[Value], Value]:
    return lambda value: pointwise(function, [value])


def _logarithm(function: Callable[[float], float]) -> Callable[[float], float | None]:
    return lambda value: function(value) if value > 0 else None


def _changes(per_second: bool) -> Callable[[Value], Value]:
    def changes(value: Value) -> Value:
        if isinstance(value, list):
            return [changes(member) for member in value]
        if not isinstance(value, dict):
            raise invalid("RATE and DIFF take a time series")
        times = sorted(value)
        return {
            now: (value[now] - value[before]) / (now - before if per_second else 1) for before, now in pairwise(times)
        }

    return changes


def _if(condition: Value, when_true: Value, when_false: Value) -> Value:
    if isinstance(condition, list) or isinstance(when_true, list) or isinstance(when_false, list):
        raise invalid("IF takes no array")
    if not isinstance(condition, dict):
        return when_true if condition else when_false
    made: Series = {}
    for time, test in condition.items():
        chosen = when_true if test else when_false
        if _has(chosen, time):
            made[time] = chosen[time] if isinstance(chosen, dict) else chosen
    return made


FUNCTIONS: Mapping[str, tuple[int, Callable[..., Value]]] = {
    "ABS": (1, _each(abs)),
    "CEIL": (1, _each(lambda value: float(math.ceil(value)))),
    "FLOOR": (1, _each(lambda value: float(math.floor(value)))),
    "LOG": (1, _each(_logarithm(math.log))),
    "LOG10": (1, _each(_logarithm(math.log10))),
    "SUM": (1, _reduced(sum)),
    "AVG": (1, _reduced(lambda values: sum(values) / len(values))),
    "MIN": (1, _reduced(min)),
    "MAX": (1, _reduced(max)),
    "RATE": (1, _changes(per_second=True)),
    "DIFF": (1, _changes(per_second=False)),
    "IF": (3, _if),
}
