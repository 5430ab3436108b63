"""Trino's date and time functions in DuckDB. Sessions are in UTC, as Athena's are."""

from __future__ import annotations

import re

from sqlglot import exp

from .call import Call, Entry, entry, template
from .errors import QueryFailed, Refused
from .raw import Raw, raw

UNITS = ("millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year")
_TIME_UNITS = UNITS[:4]

# MySQL's letters (date_parse, date_format) and Joda's (parse_datetime, format_datetime) in strftime's.
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
FIELDS = {
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


def utc(call: Call, index: int) -> str:
    """The argument as TIMESTAMP or DATE: a time with zone is taken in UTC."""
    call.want(*(["any"] * index), "time", "any")
    return f"timezone('UTC', {call[index]})" if call.type(index) == "TIMESTAMP WITH TIME ZONE" else call[index]


def _unit(call: Call) -> str:
    unit = call.literal(0).lower()
    if unit not in UNITS:
        raise QueryFailed(
            f"INVALID_FUNCTION_ARGUMENT: '{unit}' is not a valid unit of {call.name}; valid: {', '.join(UNITS)}"
        )
    return unit


def _no_time_unit_on_date(call: Call, unit: str, index: int) -> None:
    if call.known_type(index) == "DATE" and unit in _TIME_UNITS:
        raise QueryFailed(f"INVALID_FUNCTION_ARGUMENT: '{unit}' is not a valid DATE field")


def field_of(name: str, value: exp.Expression, call: Call) -> Raw:
    """``extract(name from value)`` and the functions named as the fields."""
    if name.lower() not in FIELDS:
        raise Refused(f"extract({name} from …)")
    if call.known_type(0) == "DATE" and name.lower() in ("hour", "minute", "second", "millisecond"):
        raise QueryFailed(f"FUNCTION_NOT_FOUND: Unexpected parameters (date) for function {name.lower()}")
    return raw(FIELDS[name.lower()], utc(call, 0))


@entry(3)
def date_diff(call: Call) -> Raw:
    """Whole units between the two, as date_sub counts them (DuckDB's date_diff counts boundaries)."""
    unit = _unit(call)
    call.want("varchar", "time")
    if "DATE" in (call.known_type(1), call.known_type(2)) and call.type(1) == call.type(2):
        _no_time_unit_on_date(call, unit, 1)
    return raw(f"date_sub('{unit}', {utc(call, 1)}, {utc(call, 2)})")


def plus(value: str, kind: str, amount: str, unit: str) -> Raw:
    """``value`` moved by a number of units, of the same type as it was."""
    make = {"quarter": f"to_months(3 * ({amount})::INTEGER)", "week": f"to_days(7 * ({amount})::INTEGER)"}.get(
        unit, f"to_{unit}s({amount})" if unit not in ("day", "month", "year") else f"to_{unit}s(({amount})::INTEGER)"
    )
    return Raw(this=f"CAST({value} + {make} AS {kind})")


@entry(3)
def date_add(call: Call) -> Raw:
    unit = _unit(call)
    call.want("varchar", "number", "time")
    _no_time_unit_on_date(call, unit, 2)
    return plus(call[2], call.known_type(2), call[1], unit)


@entry(2)
def date_trunc(call: Call) -> Raw:
    unit = _unit(call)
    kind = call.known_type(1)
    _no_time_unit_on_date(call, unit, 1)
    cut = f"CAST(date_trunc('{unit}', {utc(call, 1)}) AS {'DATE' if kind == 'DATE' else 'TIMESTAMP'})"
    return Raw(this=f"timezone('UTC', {cut})" if kind == "TIMESTAMP WITH TIME ZONE" else cut)


def _mysql(call: Call, *, parsing: bool) -> str:
    wanted = call.literal(1)
    written = []
    for matched in re.finditer(r"%(.)|([^%]+)", wanted, re.S):
        letter = matched[1]
        if letter and letter not in _MYSQL:
            raise Refused(f"{call.name} with %{letter}")
        piece = _MYSQL[letter] if letter else matched[2]
        written.append(piece.replace("%-", "%") if parsing else piece)
    return "".join(written).replace("'", "''")


def _joda(call: Call, *, parsing: bool) -> str:
    written = []
    for matched in re.finditer(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+", call.literal(1)):
        token = matched[0]
        if matched[1] is not None:
            piece = matched[1].replace("''", "'").replace("%", "%%") or "'"
        elif matched[2]:
            if token not in _JODA:
                raise Refused(f"{call.name} with the pattern {token}")
            piece = _JODA[token].replace("%-", "%") if parsing else _JODA[token]
        else:
            piece = token.replace("%", "%%")
        written.append(piece)
    return "".join(written).replace("'", "''")


@entry(2)
def date_parse(call: Call) -> Raw:
    call.want("varchar")
    return raw(f"trino_milli(strptime({{0}}, '{_mysql(call, parsing=True)}'))", call.args[0])


@entry(2)
def date_format(call: Call) -> Raw:
    return Raw(this=f"strftime({utc(call, 0)}, '{_mysql(call, parsing=False)}')")


@entry(2)
def format_datetime(call: Call) -> Raw:
    return Raw(this=f"strftime({utc(call, 0)}, '{_joda(call, parsing=False)}')")


@entry(2)
def parse_datetime(call: Call) -> Raw:
    call.want("varchar")
    return raw(f"timezone('UTC', strptime({{0}}, '{_joda(call, parsing=True)}'))", call.args[0])


@entry(1)
def to_iso8601(call: Call) -> Raw:
    if call.known_type(0) == "DATE":
        return call.raw("CAST({0} AS VARCHAR)")
    zone = "Z" if call.type(0) == "TIMESTAMP WITH TIME ZONE" else ""
    return Raw(this=f"strftime({utc(call, 0)}, '%Y-%m-%dT%H:%M:%S.%g{zone}')")


@entry(2)
def in_utc(call: Call) -> Raw:
    """at_timezone and with_timezone: a zone other than UTC would have to be carried by the value."""
    if call.literal(1).upper() not in ("UTC", "Z", "GMT", "ETC/UTC", "+00:00"):
        raise Refused(f"{call.name} with the zone {call.literal(1)}", "Only UTC is known here.")
    if call.known_type(0) == "TIMESTAMP WITH TIME ZONE":
        return call.raw("{0}")
    return Raw(this=f"timezone('UTC', CAST({call[0]} AS TIMESTAMP))")


@entry(1)
def to_date(call: Call) -> Raw:
    if call.known_type(0) == "VARCHAR":
        return call.raw("CAST(trino_checked_date({0}) AS DATE)")
    return Raw(this=f"CAST({utc(call, 0)} AS DATE)")


def _part(name: str) -> Entry:
    return Entry(1, 1, lambda call: field_of(name, call.args[0], call))


NOW = "date_trunc('millisecond', now())"
TABLE: dict[str, Entry] = {
    "date_diff": date_diff,
    "date_add": date_add,
    "date_trunc": date_trunc,
    "date_parse": date_parse,
    "date_format": date_format,
    "format_datetime": format_datetime,
    "parse_datetime": parse_datetime,
    "to_iso8601": to_iso8601,
    "at_timezone": in_utc,
    "with_timezone": in_utc,
    "date": to_date,
    "last_day_of_month": Entry(1, 1, lambda call: Raw(this=f"last_day({utc(call, 0)})")),
    "from_unixtime": template(
        "timezone('UTC', trino_milli(make_timestamp(CAST(round({0} * 1000000e0) AS BIGINT))))", "number"
    ),
    "to_unixtime": template("epoch({0})", "time"),
    "from_iso8601_timestamp": template(
        "timezone('UTC', CAST(rtrim(trino_checked_iso({0}), 'Z') AS TIMESTAMP))", "varchar"
    ),
    "from_iso8601_date": template("CAST(trino_checked({0}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}') AS DATE)", "varchar"),
    "now": template(NOW),
    **{name: _part(name) for name in FIELDS if name not in ("dayofweek", "dayofyear")},
}
