"""Evaluates metric math: a tree of ``math_parser.py`` over time series. What is not known here is refused by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.localcloud.cloudwatch.data import Grid
from infra.localcloud.cloudwatch.math_parser import Array, Call, Name, Node, Number, Text
from infra.localcloud.cloudwatch.math_values import FUNCTIONS, OPERATORS, Series, Value, invalid, listed, pointwise


@dataclass(frozen=True)
class Scope:
    """What an expression can refer to.

    Attributes:
        value: Returns the value of another query by its id.
        metrics: The ids of the queries that are metrics, for METRICS().
        grid: The periods of the expression.
    """

    value: Callable[[str], Value]
    metrics: Sequence[str]
    grid: Grid


def evaluate(node: Node, scope: Scope) -> Value:
    """Evaluates a tree.

    Raises:
        NotImplementedError: It has a function that is not known here.
        AwsError: A value has the wrong type, or there is no query with an id (ValidationError).
    """
    match node:
        case Number(value):
            return value
        case Name(name):
            return scope.value(name)
        case Text(text):
            raise invalid(f"the text '{text}' is no value")
        case Array(items):
            return [one for item in items for one in listed(evaluate(item, scope))]
        case Call(name, arguments):
            return _call(name, arguments, scope)


def check(node: Node) -> None:
    """Refuses an expression with a function that is not known here.

    Raises:
        NotImplementedError: It has one.
    """
    if isinstance(node, Call):
        if node.name not in OPERATORS and node.name not in FUNCTIONS and node.name not in _SPECIAL:
            raise _unknown(node.name)
        for argument in node.arguments:
            check(argument)
    elif isinstance(node, Array):
        for item in node.items:
            check(item)


def names(node: Node) -> set[str]:
    """The names in an expression: ids of queries, and words such as REPEAT."""
    parts: Iterable[Node] = ()
    if isinstance(node, Name):
        return {node.value}
    if isinstance(node, Call):
        parts = node.arguments
    elif isinstance(node, Array):
        parts = node.items
    return {name for part in parts for name in names(part)}


def _unknown(name: str) -> NotImplementedError:
    known = ", ".join(sorted((*FUNCTIONS, *_SPECIAL)))
    return NotImplementedError(f"the function {name} of metric math is not evaluated; there are {known}")


def _call(name: str, arguments: tuple[Node, ...], scope: Scope) -> Value:
    if name in _SPECIAL:
        return _SPECIAL[name](arguments, scope)
    values = [evaluate(argument, scope) for argument in arguments]
    if name in OPERATORS:
        return pointwise(OPERATORS[name], values)
    if name not in FUNCTIONS:
        raise _unknown(name)
    count, function = FUNCTIONS[name]
    if len(values) != count:
        raise invalid(f"{name} takes {count} argument(s), not {len(values)}")
    return function(*values)


def _fill(arguments: tuple[Node, ...], scope: Scope) -> Value:
    if len(arguments) != 2:
        raise invalid("FILL takes 2 arguments")
    value, filler = evaluate(arguments[0], scope), arguments[1]
    word = filler.value.upper() if isinstance(filler, Name) else ""
    other = None if word in ("REPEAT", "LINEAR") else evaluate(filler, scope)
    if isinstance(other, list):
        raise invalid("FILL fills with a number, a time series, REPEAT or LINEAR")
    filled = [_filled(member, word, other, scope.grid.times) for member in listed(value)]
    return filled if isinstance(value, list) else filled[0]


def _filled(series: Any, word: str, other: float | Series | None, times: Sequence[float]) -> Series:
    if not isinstance(series, dict):
        raise invalid("FILL takes a time series")
    made: Series = dict(series)
    known = sorted(series)
    for time in times:
        before = [one for one in known if one <= time]
        after = [one for one in known if one > time]
        if time in series:
            continue
        if isinstance(other, dict):
            made.update({time: other[time]} if time in other else {})
        elif other is not None:
            made[time] = other
        elif word == "REPEAT" and before:
            made[time] = series[before[-1]]
        elif word == "LINEAR" and before and after:
            part = (time - before[-1]) / (after[0] - before[-1])
            made[time] = series[before[-1]] + part * (series[after[0]] - series[before[-1]])
    return dict(sorted(made.items()))


def _metrics(arguments: tuple[Node, ...], scope: Scope) -> Value:
    part = arguments[0].value if arguments and isinstance(arguments[0], Text) else ""
    return [scope.value(name) for name in scope.metrics if part in name]


_SPECIAL: Mapping[str, Callable[[tuple[Node, ...], Scope], Value]] = {
    "FILL": _fill,
    "METRICS": _metrics,
    "PERIOD": lambda arguments, scope: float(scope.grid.period),
}
