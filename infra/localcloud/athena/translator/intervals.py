"""Trino's intervals: literals, arithmetic, and times moved by them."""

from __future__ import annotations

import re

from sqlglot import exp

from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.times import (
    DAY_SECOND,
    YEAR_MONTH,
    TimeType,
    interval_type,
    time_type,
)
from infra.localcloud.athena.translator.fragments import Fragment, bracketed
from infra.localcloud.athena.types import INTEGERS, kind, trino_type

_MILLIS = {"second": 1000, "minute": 60_000, "hour": 3_600_000, "day": 86_400_000, "week": 604_800_000}
_MONTHS = {"month": 1, "year": 12}
_ORDER = ("day", "hour", "minute", "second")


def range_step(node: exp.Expr) -> str:
    """Returns the DuckDB interval of a literal, for the bound of a window's RANGE.

    Raises:
        UnsupportedError: The bound is no literal.
    """
    if "interval" not in node.meta:
        raise UnsupportedError("a RANGE bound that is no interval literal")
    name, count = node.meta["interval"]
    return f"to_{'milliseconds' if name == DAY_SECOND else 'months'}({count})"


def literal(node: exp.Interval) -> Fragment:
    """Translates ``interval '2' day``, ``interval '1 02:03' day to minute`` and ``interval '1-2' year to month``.

    Raises:
        QueryError: The text is no such interval.
    """
    value, sign = node.this, 1
    if isinstance(value, exp.Neg):
        value, sign = value.this, -1
    written = str(value.this).strip() if isinstance(value, exp.Literal) else ""
    if written[:1] in "+-" and written:
        sign, written = sign * (-1 if written[0] == "-" else 1), written[1:]
    unit = node.args.get("unit")
    if isinstance(unit, exp.IntervalSpan):
        amount, name = _span(written, str(unit.this).lower(), str(unit.expression).lower())
    else:
        amount, name = _single(written, str(unit.name if unit else "").lower())
    return make(sign * amount, name)


def make(amount: int, name: str) -> Fragment:
    """Makes an interval of a known amount."""
    made = Fragment(this=f"{{'{name}': CAST({amount} AS BIGINT)}}")
    made.meta["interval"] = (name, amount)
    return made


def _single(written: str, unit: str) -> tuple[int, str]:
    if unit == "second" and re.fullmatch(r"\d+(\.\d{1,9})?", written):
        whole, _, fraction = written.partition(".")
        return int(whole) * 1000 + int(fraction.ljust(3, "0")[:3]), DAY_SECOND
    if written.isdigit() and unit in _MILLIS:
        return int(written) * _MILLIS[unit], DAY_SECOND
    if written.isdigit() and unit in _MONTHS:
        return int(written) * _MONTHS[unit], YEAR_MONTH
    raise QueryError(f"INVALID_LITERAL: '{written}' is not a valid interval literal of {unit or 'no unit'}")


def _span(written: str, first: str, last: str) -> tuple[int, str]:
    if (first, last) == ("year", "month") and (matched := re.fullmatch(r"(\d+)-(\d+)", written)):
        return int(matched[1]) * 12 + int(matched[2]), YEAR_MONTH
    if first in _ORDER and last in _ORDER and _ORDER.index(first) < _ORDER.index(last):
        units = _ORDER[_ORDER.index(first) : _ORDER.index(last) + 1]
        seconds = r"(\d+(?:\.\d{1,3})?)" if last == "second" else r"(\d+)"
        between = [" " if unit == "day" else ":" for unit in units[:-1]]
        pattern = "".join(rf"(\d+){mark}" for mark in between) + seconds
        if matched := re.fullmatch(pattern, written):
            millis = sum(round(float(part) * _MILLIS[unit]) for part, unit in zip(matched.groups(), units, strict=True))
            return millis, DAY_SECOND
    raise QueryError(f"INVALID_LITERAL: '{written}' is not a valid interval literal of {first} to {last}")


def amount(value: str, name: str) -> str:
    """Returns the number of milliseconds or months in an interval."""
    matched = re.fullmatch(rf"\{{'{name}': (CAST\(-?\d+ AS BIGINT\))\}}", value)
    return matched[1] if matched else f"struct_extract({value}, '{name}')"


def of_amount(written: str, name: str) -> Fragment:
    """Makes an interval from the DuckDB text of its amount."""
    return Fragment(this=f"CASE WHEN {written} IS NULL THEN NULL ELSE {{'{name}': CAST({written} AS BIGINT)}} END")


def arithmetic(left: exp.Expr, right: exp.Expr, sign: str, types: tuple[str, str]) -> Fragment:
    """Translates an operator of which an operand is a time or an interval.

    Raises:
        QueryError: Trino has no such operator.
    """
    times, names = [time_type(found) for found in types], [interval_type(found) for found in types]
    values = bracketed(left), bracketed(right)
    if times[0] and names[1] and sign in "+-":
        return moved(values[0], times[0], f"({'-' if sign == '-' else ''}{amount(values[1], names[1])})", names[1])
    if names[0] and times[1] and sign == "+":
        return moved(values[1], times[1], amount(values[0], names[0]), names[0])
    if times[0] and times[1] and sign == "-":
        micros = f"epoch_us({times[0].utc(values[0])}) - epoch_us({times[1].utc(values[1])})"
        return of_amount(f"(({micros}) // 1000)", DAY_SECOND)
    if names[0] and names[0] == names[1] and sign in "+-":
        return of_amount(f"({amount(values[0], names[0])} {sign} {amount(values[1], names[0])})", names[0])
    if names[0] and kind(types[1]) == "number" and sign in "*/":
        return _scaled(amount(values[0], names[0]), values[1], sign, names[0], types[1])
    if names[1] and kind(types[0]) == "number" and sign == "*":
        return _scaled(amount(values[1], names[1]), values[0], "*", names[1], types[0])
    raise QueryError(f"TYPE_MISMATCH: Cannot apply operator: {trino_type(types[0])} {sign} {trino_type(types[1])}")


def _scaled(written: str, factor: str, sign: str, name: str, found: str) -> Fragment:
    if sign == "*" and found in INTEGERS:
        return of_amount(f"({written} * {factor})", name)
    operand = f"CAST({factor} AS DOUBLE)"
    return of_amount(f"CAST(trunc(CAST({written} AS DOUBLE) {sign} {operand}) AS BIGINT)", name)


def moved(value: str, time: TimeType, written: str, name: str) -> Fragment:
    """Moves a time by an amount of an interval. A day has 24 hours, also where the clocks are set."""
    if name == YEAR_MONTH:
        step = f"to_months(CAST({written} AS INTEGER))"
        return Fragment(this=time.of_wall(f"({time.wall(value)} + {step})", _own_zone(time, value)))
    if time.base == "date":
        days = f"trino_whole_days({written})"
        return Fragment(this=f"CAST({value} + to_days({days}) AS DATE)")
    target = time.with_precision(max(time.precision, 3))
    moment = f"({time.utc(value)} + to_milliseconds({written}))"
    return Fragment(this=target.of_utc(moment, _own_zone(time, value)))


def _own_zone(time: TimeType, value: str) -> str:
    return time.zone_text(value) if time.zone == "" else ""


def negative(node: exp.Neg, found: str) -> Fragment:
    """Translates ``-interval``."""
    name = interval_type(found)
    if name is None:
        raise UnsupportedError(f"- {trino_type(found)}")
    if "interval" in node.this.meta:
        return make(-int(node.this.meta["interval"][1]), name)
    return of_amount(f"(-{amount(bracketed(node.this), name)})", name)
