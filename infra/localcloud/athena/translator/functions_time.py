"""Trino's date and time functions in DuckDB. Sessions are in UTC, as on Athena."""

from __future__ import annotations

import re

from sqlglot import exp

from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.translator.calls import FunctionCall, Translation, template, translation
from infra.localcloud.athena.translator.fragments import Fragment, fragment

_UNITS = ("millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year")
_TIME_UNITS = _UNITS[:4]

# The formats of date_parse and date_format (MySQL), and of parse_datetime and format_datetime (Joda), in strftime's.
_MYSQL = {
    "Y": "%Y",
    "y": "%y",
    "m": "%m",
    "c": "%-m",
    "d": "%d",
    "e": "%-d",
    "H": "%H",
    "k": "%-H",
    "h": "%I",
    "I": "%I",
    "l": "%-I",
    "i": "%M",
    "s": "%S",
    "S": "%S",
    "f": "%f",
    "p": "%p",
    "M": "%B",
    "b": "%b",
    "W": "%A",
    "a": "%a",
    "j": "%j",
    "T": "%H:%M:%S",
    "%": "%%",
}
_JODA = {
    "yyyy": "%Y",
    "YYYY": "%Y",
    "yy": "%y",
    "MM": "%m",
    "M": "%-m",
    "MMM": "%b",
    "MMMM": "%B",
    "dd": "%d",
    "d": "%-d",
    "HH": "%H",
    "H": "%-H",
    "hh": "%I",
    "h": "%-I",
    "mm": "%M",
    "m": "%-M",
    "ss": "%S",
    "s": "%-S",
    "SSS": "%g",
    "a": "%p",
    "EEE": "%a",
    "EEEE": "%A",
    "DDD": "%j",
}
_FIELDS = {
    "year": "year({0})",
    "quarter": "quarter({0})",
    "month": "month({0})",
    "week": "week({0})",
    "week_of_year": "week({0})",
    "day": "day({0})",
    "day_of_month": "day({0})",
    "day_of_week": "isodow({0})",
    "dow": "isodow({0})",
    "dayofweek": "isodow({0})",
    "day_of_year": "dayofyear({0})",
    "doy": "dayofyear({0})",
    "dayofyear": "dayofyear({0})",
    "year_of_week": "isoyear({0})",
    "yow": "isoyear({0})",
    "hour": "hour({0})",
    "minute": "minute({0})",
    "second": "CAST(floor(second({0})) AS BIGINT)",
    "millisecond": "(millisecond({0}) % 1000)",
}


def _utc(call: FunctionCall, index: int) -> str:
    """The argument as TIMESTAMP or DATE; a time with a zone is converted to UTC."""
    call.require(*(["any"] * index), "time", "any")
    return f"timezone('UTC', {call[index]})" if call.type(index) == "TIMESTAMP WITH TIME ZONE" else call[index]


def _unit(call: FunctionCall) -> str:
    unit = call.literal(0).lower()
    if unit not in _UNITS:
        raise QueryError(
            f"INVALID_FUNCTION_ARGUMENT: '{unit}' is not a valid unit of {call.name}; valid: {', '.join(_UNITS)}"
        )
    return unit


def _no_time_unit_on_date(call: FunctionCall, unit: str, index: int) -> None:
    if call.known_type(index) == "DATE" and unit in _TIME_UNITS:
        raise QueryError(f"INVALID_FUNCTION_ARGUMENT: '{unit}' is not a valid DATE field")


def field_of(name: str, value: exp.Expr, call: FunctionCall) -> Fragment:
    """Translates ``extract(name FROM value)`` and the functions that have the names of fields.

    Raises:
        QueryError: A date has no such field.
        UnsupportedError: The field is not known here.
    """
    if name.lower() not in _FIELDS:
        raise UnsupportedError(f"extract({name} from …)")
    if call.known_type(0) == "DATE" and name.lower() in ("hour", "minute", "second", "millisecond"):
        raise QueryError(f"FUNCTION_NOT_FOUND: Unexpected parameters (date) for function {name.lower()}")
    return fragment(_FIELDS[name.lower()], _utc(call, 0))


@translation(3)
def _date_diff(call: FunctionCall) -> Fragment:
    """Counts whole units, as DuckDB's date_sub does; its date_diff counts boundaries."""
    unit = _unit(call)
    call.require("varchar", "time")
    if "DATE" in (call.known_type(1), call.known_type(2)) and call.type(1) == call.type(2):
        _no_time_unit_on_date(call, unit, 1)
    return fragment(f"date_sub('{unit}', {_utc(call, 1)}, {_utc(call, 2)})")


def _plus(value: str, kind: str, amount: str, unit: str) -> Fragment:
    """A time moved by a number of units; it keeps its type."""
    make = {"quarter": f"to_months(3 * ({amount})::INTEGER)", "week": f"to_days(7 * ({amount})::INTEGER)"}.get(
        unit, f"to_{unit}s({amount})" if unit not in ("day", "month", "year") else f"to_{unit}s(({amount})::INTEGER)"
    )
    return Fragment(this=f"CAST({value} + {make} AS {kind})")


@translation(3)
def _date_add(call: FunctionCall) -> Fragment:
    unit = _unit(call)
    call.require("varchar", "number", "time")
    _no_time_unit_on_date(call, unit, 2)
    return _plus(call[2], call.known_type(2), call[1], unit)


@translation(2)
def _date_trunc(call: FunctionCall) -> Fragment:
    unit = _unit(call)
    kind = call.known_type(1)
    _no_time_unit_on_date(call, unit, 1)
    cut = f"CAST(date_trunc('{unit}', {_utc(call, 1)}) AS {'DATE' if kind == 'DATE' else 'TIMESTAMP'})"
    return Fragment(this=f"timezone('UTC', {cut})" if kind == "TIMESTAMP WITH TIME ZONE" else cut)


def _mysql(call: FunctionCall, *, parsing: bool) -> str:
    wanted = call.literal(1)
    written = []
    for matched in re.finditer(r"%(.)|([^%]+)", wanted, re.DOTALL):
        letter = matched[1]
        if letter and letter not in _MYSQL:
            raise UnsupportedError(f"{call.name} with %{letter}")
        piece = _MYSQL[letter] if letter else matched[2]
        written.append(piece.replace("%-", "%") if parsing else piece)
    return "".join(written).replace("'", "''")


def _joda(call: FunctionCall, *, parsing: bool) -> str:
    written = []
    for matched in re.finditer(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+", call.literal(1)):
        token = matched[0]
        if matched[1] is not None:
            piece = matched[1].replace("''", "'").replace("%", "%%") or "'"
        elif matched[2]:
            if token not in _JODA:
                raise UnsupportedError(f"{call.name} with the pattern {token}")
            piece = _JODA[token].replace("%-", "%") if parsing else _JODA[token]
        else:
            piece = token.replace("%", "%%")
        written.append(piece)
    return "".join(written).replace("'", "''")


@translation(2)
def _date_parse(call: FunctionCall) -> Fragment:
    call.require("varchar")
    return fragment(f"trino_milli(strptime({{0}}, '{_mysql(call, parsing=True)}'))", call.args[0])


@translation(2)
def _date_format(call: FunctionCall) -> Fragment:
    return Fragment(this=f"strftime({_utc(call, 0)}, '{_mysql(call, parsing=False)}')")


@translation(2)
def _format_datetime(call: FunctionCall) -> Fragment:
    return Fragment(this=f"strftime({_utc(call, 0)}, '{_joda(call, parsing=False)}')")


@translation(2)
def _parse_datetime(call: FunctionCall) -> Fragment:
    call.require("varchar")
    return fragment(f"timezone('UTC', strptime({{0}}, '{_joda(call, parsing=True)}'))", call.args[0])


@translation(1)
def _to_iso8601(call: FunctionCall) -> Fragment:
    if call.known_type(0) == "DATE":
        return call.fill("CAST({0} AS VARCHAR)")
    zone = "Z" if call.type(0) == "TIMESTAMP WITH TIME ZONE" else ""
    return Fragment(this=f"strftime({_utc(call, 0)}, '%Y-%m-%dT%H:%M:%S.%g{zone}')")


@translation(2)
def _in_utc(call: FunctionCall) -> Fragment:
    """at_timezone and with_timezone, for UTC only: DuckDB's values do not carry a zone."""
    if call.literal(1).upper() not in ("UTC", "Z", "GMT", "ETC/UTC", "+00:00"):
        raise UnsupportedError(f"{call.name} with the zone {call.literal(1)}", "Only UTC is known here.")
    if call.known_type(0) == "TIMESTAMP WITH TIME ZONE":
        return call.fill("{0}")
    return Fragment(this=f"timezone('UTC', CAST({call[0]} AS TIMESTAMP))")


@translation(1)
def _to_date(call: FunctionCall) -> Fragment:
    if call.known_type(0) == "VARCHAR":
        return call.fill("CAST(trino_checked_date({0}) AS DATE)")
    return Fragment(this=f"CAST({_utc(call, 0)} AS DATE)")


def _part(name: str) -> Translation:
    return Translation(1, 1, lambda call: field_of(name, call.args[0], call))


NOW = "date_trunc('millisecond', now())"
TABLE: dict[str, Translation] = {
    "date_diff": _date_diff,
    "date_add": _date_add,
    "date_trunc": _date_trunc,
    "date_parse": _date_parse,
    "date_format": _date_format,
    "format_datetime": _format_datetime,
    "parse_datetime": _parse_datetime,
    "to_iso8601": _to_iso8601,
    "at_timezone": _in_utc,
    "with_timezone": _in_utc,
    "date": _to_date,
    "last_day_of_month": Translation(1, 1, lambda call: Fragment(this=f"last_day({_utc(call, 0)})")),
    "from_unixtime": template(
        "timezone('UTC', trino_milli(make_timestamp(CAST(round({0} * 1000000e0) AS BIGINT))))", "number"
    ),
    "to_unixtime": template("epoch({0})", "time"),
    "from_iso8601_timestamp": template(
        "timezone('UTC', CAST(rtrim(trino_checked_iso({0}), 'Z') AS TIMESTAMP))", "varchar"
    ),
    "from_iso8601_date": template("CAST(trino_checked({0}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}') AS DATE)", "varchar"),
    "now": template(NOW),
    **{name: _part(name) for name in _FIELDS if name not in ("dayofweek", "dayofyear")},
}
