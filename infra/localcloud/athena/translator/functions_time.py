"""Trino's date and time functions in DuckDB. Sessions are in UTC, as on Athena."""

from __future__ import annotations

from sqlglot import exp

from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.times import (
    DATE,
    DAY_SECOND,
    YEAR_MONTH,
    TimeType,
    interval_type,
    time_type,
)
from infra.localcloud.athena.translator import casts, intervals, time_formats, zones
from infra.localcloud.athena.translator.calls import FunctionCall, Translation, template, translation
from infra.localcloud.athena.translator.coercion import convert_time
from infra.localcloud.athena.translator.fragments import Fragment, bracketed
from infra.localcloud.athena.types import kind, trino_type

_UNITS = ("millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year")
_TIME_UNITS = _UNITS[:4]
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
    "day_of_year": "dayofyear({0})",
    "doy": "dayofyear({0})",
    "year_of_week": "isoyear({0})",
    "yow": "isoyear({0})",
    "hour": "hour({0})",
    "minute": "minute({0})",
    "second": "CAST(floor(second({0})) AS BIGINT)",
    "millisecond": "CAST(millisecond({0}) % 1000 AS BIGINT)",
}
_ZONE_FIELDS = {"timezone_hour": "({0} // 60)", "timezone_minute": "({0} % 60)"}
_INTERVAL_FIELDS = {
    "day": (DAY_SECOND, "({0} // 86400000)"),
    "hour": (DAY_SECOND, "({0} // 3600000 % 24)"),
    "minute": (DAY_SECOND, "({0} // 60000 % 60)"),
    "second": (DAY_SECOND, "({0} // 1000 % 60)"),
    "millisecond": (DAY_SECOND, "({0} % 1000)"),
    "year": (YEAR_MONTH, "({0} // 12)"),
    "month": (YEAR_MONTH, "({0} % 12)"),
}
_UTC = TimeType(zone="UTC")
_OWN_ZONE = TimeType(zone="")


def time_argument(call: FunctionCall, index: int) -> TimeType:
    """Returns the type of an argument that must be a date or timestamp.

    Raises:
        QueryError: It is neither.
    """
    found = call.known_type(index)
    if found == '"NULL"':
        return TimeType()
    time = time_type(found)
    if time is None:
        raise QueryError(
            f"FUNCTION_NOT_FOUND: Unexpected parameters for function {call.name}: "
            f"argument {index + 1} is {trino_type(found)}, not a date or timestamp"
        )
    return time


def wall(call: FunctionCall, index: int) -> str:
    """Returns the time that a clock shows, as DATE or TIMESTAMP."""
    return time_argument(call, index).wall(call[index])


def _unit(call: FunctionCall) -> str:
    unit = call.literal(0).lower()
    if unit not in _UNITS:
        raise QueryError(f"INVALID_FUNCTION_ARGUMENT: '{unit}' is not a valid TIMESTAMP field")
    return unit


def _no_time_unit_on_date(time: TimeType, unit: str) -> None:
    if time.base == "date" and unit in _TIME_UNITS:
        raise QueryError(f"INVALID_FUNCTION_ARGUMENT: '{unit}' is not a valid DATE field")


def field_of(name: str, call: FunctionCall) -> Fragment:
    """Translates ``extract(name FROM value)`` and the functions that have the names of fields.

    Raises:
        QueryError: The value has no such field.
    """
    name = name.lower()
    found = interval_type(call.known_type(0))
    if found and _INTERVAL_FIELDS.get(name, ("", ""))[0] == found:
        return Fragment(this=_INTERVAL_FIELDS[name][1].format(intervals.amount(call[0], found)))
    if name not in _FIELDS and name not in _ZONE_FIELDS:
        raise QueryError(f"SYNTAX_ERROR: Invalid EXTRACT field: {name}")
    time = time_argument(call, 0)
    if (time.base == "date" and name in ("hour", "minute", "second", "millisecond")) or (
        time.zone is None and name in _ZONE_FIELDS
    ):
        raise QueryError(f"FUNCTION_NOT_FOUND: Unexpected parameters ({time.trino()}) for function {name}")
    if name in _ZONE_FIELDS:
        return Fragment(this=_ZONE_FIELDS[name].format(_offset(time, call[0])))
    return Fragment(this=_FIELDS[name].format(time.wall(call[0])))


def _offset(time: TimeType, value: str) -> str:
    """The minutes by which a value's zone is ahead of UTC."""
    return f"date_sub('minute', {time.utc(value)}, {time.wall(value)})"


@translation(3)
def _date_diff(call: FunctionCall) -> Fragment:
    """Counts whole units, as DuckDB's date_sub does; its date_diff counts boundaries."""
    unit = _unit(call)
    first, second = time_argument(call, 1), time_argument(call, 2)
    if first.base == second.base == "date":
        _no_time_unit_on_date(first, unit)
    if unit in _TIME_UNITS:
        return Fragment(this=f"date_sub('{unit}', {first.utc(call[1])}, {second.utc(call[2])})")
    if first.zone is None and second.zone is None:
        return Fragment(this=f"date_sub('{unit}', {first.wall(call[1])}, {second.wall(call[2])})")
    zone = first.zone_text(call[1]) if first.zone is not None else "'UTC'"
    kinds = TimeType(precision=6, zone=zone.strip("'") if zone.startswith("'") else "")
    if kinds.zone == "":
        raise UnsupportedError(f"date_diff('{unit}', …) of times whose zones differ from row to row")
    times = (
        kinds.wall(kinds.of_utc(time.utc(call[index]))) if kinds.zone != "UTC" else time.utc(call[index])
        for index, time in ((1, first), (2, second))
    )
    return Fragment(this=f"date_sub('{unit}', {', '.join(times)})")


@translation(3)
def _date_add(call: FunctionCall) -> Fragment:
    unit, time = _unit(call), time_argument(call, 2)
    call.require("varchar", "number", "any")
    _no_time_unit_on_date(time, unit)
    factor, step = {"quarter": (3, "months"), "week": (7, "days"), "month": (1, "months"), "day": (1, "days")}.get(
        unit, (1, f"{unit}s")
    )
    count = f"CAST({call[1]} AS INTEGER)" if step in ("months", "days", "years") else f"CAST({call[1]} AS BIGINT)"
    moved = f"to_{step}({count if factor == 1 else f'{factor} * {count}'})"
    zone = time.zone_text(call[2]) if time.zone == "" else ""
    if unit in _TIME_UNITS:
        return Fragment(this=time.of_utc(f"({time.utc(call[2])} + {moved})", zone))
    return Fragment(this=time.of_wall(f"({time.wall(call[2])} + {moved})", zone))


@translation(2)
def _date_trunc(call: FunctionCall) -> Fragment:
    unit, time = _unit(call), time_argument(call, 1)
    _no_time_unit_on_date(time, unit)
    local = time.wall(call[1])
    cut = f"CAST(date_trunc('{unit}', {local}) AS {'DATE' if time.base == 'date' else 'TIMESTAMP'})"
    zone = time.zone_text(call[1]) if time.zone == "" else ""
    if time.zone in (None, "UTC") or unit not in _TIME_UNITS:
        return Fragment(this=time.of_wall(cut, zone))
    return Fragment(this=time.of_utc(f"({time.utc(call[1])} - ({local} - {cut}))", zone))


@translation(2)
def _date_parse(call: FunctionCall) -> Fragment:
    call.require("varchar")
    return Fragment(this=time_formats.parsed(call[0], time_formats.mysql(call), mysql_years=True))


@translation(2)
def _parse_datetime(call: FunctionCall) -> Fragment:
    call.require("varchar")
    tokens = time_formats.joda(call)
    local = time_formats.parsed(call[0], tokens, mysql_years=False)
    if zone := time_formats.parsed_zone(call[0], tokens):
        return Fragment(this=_OWN_ZONE.of_wall(local, zone))
    return Fragment(this=_UTC.of_wall(local))


def _formatting(tokens_of: time_formats.Tokenizer) -> Translation:
    def handler(call: FunctionCall) -> Fragment:
        time = time_argument(call, 0)
        return Fragment(this=time_formats.formatted(time, call[0], tokens_of(call)))

    return Translation(2, 2, handler)


@translation(1)
def _to_iso8601(call: FunctionCall) -> Fragment:
    time = time_argument(call, 0)
    if time.base == "date":
        return call.fill("trino_date_text({0})")
    zone = ""
    if time.zone == "UTC":
        zone = " || 'Z'"
    elif time.zone is not None:
        zone = f" || trino_offset_text({_offset(time, call[0])}, 'Z')"
    return Fragment(this=f"(replace(trino_timestamp_text({time.wall(call[0])}, {time.precision}), ' ', 'T'){zone})")


def in_zone(call: FunctionCall, *, keeps_wall: bool) -> Fragment:
    """Translates at_timezone, with_timezone and AT TIME ZONE: the zone is a literal, an interval, or differs by row."""
    time = time_argument(call, 0)
    if time.base == "date":
        time, value = TimeType(), convert_time(call[0], DATE, TimeType())
    else:
        value = call[0]
    zone = _zone(call, 1)
    target = TimeType(precision=time.precision, zone=zone or "")
    written = f"'{zone}'" if zone else f"trino_zone({call[1]})"
    if keeps_wall:
        if time.zone is not None:
            raise QueryError(f"FUNCTION_NOT_FOUND: Unexpected parameters ({time.trino()}, varchar) for with_timezone")
        return Fragment(this=target.of_wall(time.wall(value), "" if zone else written))
    return Fragment(this=target.of_utc(time.utc(value), "" if zone else written))


def _zone(call: FunctionCall, index: int) -> str | None:
    """The name of a literal zone; None if the zone differs from row to row."""
    argument = call.args[index]
    if "interval" in argument.meta:
        minutes = int(argument.meta["interval"][1]) // 60_000
        return zones.zone_name(
            f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}", call.scope
        )
    if isinstance(argument, exp.Literal) and argument.is_string:
        return zones.zone_name(argument.name, call.scope)
    call.require("any", "varchar")
    return None


@translation(1, 3)
def _from_unixtime(call: FunctionCall) -> Fragment:
    call.require("number", "any")
    moment = f"trino_from_millis(floor(CAST({call[0]} AS DOUBLE) * 1000 + 0.5e0))"
    if len(call.args) == 1:
        return Fragment(this=_UTC.of_utc(moment))
    if len(call.args) == 3:
        minutes = int(call.literal(1)) * 60 + int(call.literal(2))
        offset = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
        return Fragment(this=TimeType(zone=zones.zone_name(offset, call.scope)).of_utc(moment))
    zone = _zone(call, 1)
    return Fragment(this=TimeType(zone=zone or "").of_utc(moment, "" if zone else f"trino_zone({call[1]})"))


@translation(1)
def _to_unixtime(call: FunctionCall) -> Fragment:
    time = time_argument(call, 0)
    return Fragment(this=f"(epoch_us({time.utc(call[0])}) / 1000000e0)")


@translation(1)
def _from_iso8601(call: FunctionCall) -> Fragment:
    call.require("varchar")
    argument = call.args[0]
    if isinstance(argument, exp.Literal):
        zone = argument.name.partition("T")[2].lstrip("0123456789:.,")
        target = TimeType(zone=zones.zone_name(zone, call.scope) if zone else "UTC")
        return Fragment(this=target.of_wall(f"trino_iso_local({call[0]})"))
    return Fragment(this=_OWN_ZONE.of_wall(f"trino_iso_local({call[0]})", f"trino_iso_zone({call[0]})"))


@translation(1)
def _to_date(call: FunctionCall) -> Fragment:
    found = call.known_type(0)
    return casts.cast(call.args[0], found, exp.DataType(this=exp.DType.DATE), safe=False)


@translation(2, 3)
def _sequence(call: FunctionCall) -> Fragment:
    """A sequence of whole numbers, dates or timestamps; each is computed from the first, as in Trino."""
    start = call.known_type(0)
    if kind(start) == "number":
        call.require("number")
        step = call[2] if len(call.args) == 3 else f"CASE WHEN {call[0]} <= {call[1]} THEN 1 ELSE -1 END"
        return Fragment(this=f"trino_sequence({call[0]}, {call[1]}, {step})")
    first, last = time_argument(call, 0), time_argument(call, 1)
    if first.zone is not None or last.zone is not None or first.base != last.base:
        raise UnsupportedError("sequence of timestamps with time zone, or of a date and a timestamp")
    if len(call.args) == 2 and first.base != "date":
        raise QueryError("FUNCTION_NOT_FOUND: sequence of timestamps needs a step")
    length = call.args[2] if len(call.args) == 3 else intervals.make(86_400_000, DAY_SECOND)
    found = interval_type(call.type(2)) if len(call.args) == 3 else DAY_SECOND
    if found is None:
        raise QueryError("FUNCTION_NOT_FOUND: the step of a sequence of times must be an interval")
    return _times(call, first, last, intervals.amount(bracketed(length), found), found)


def _times(call: FunctionCall, first: TimeType, last: TimeType, amount: str, found: str) -> Fragment:
    start, stop = first.utc(call[0]), last.utc(call[1])
    if len(call.args) == 2:
        amount = f"(CASE WHEN {start} <= {stop} THEN {amount} ELSE -{amount} END)"
    if found == YEAR_MONTH:
        span, moved = f"date_sub('month', {start}, {stop})", "to_months(CAST(nj_step AS INTEGER))"
    else:
        span, moved = f"(epoch_ms({stop}) - epoch_ms({start}))", "to_milliseconds(nj_step)"
    steps = f"trino_time_steps({start}, {stop}, {span}, {amount})"
    return Fragment(this=f"list_transform({steps}, lambda nj_step: {first.of_utc(f'({start} + {moved})')})")


@translation(1)
def _parse_duration(call: FunctionCall) -> Fragment:
    call.require("varchar")
    return intervals.of_amount(f"trino_duration_millis({call[0]})", DAY_SECOND)


@translation(1)
def _to_milliseconds(call: FunctionCall) -> Fragment:
    if interval_type(call.known_type(0)) != DAY_SECOND:
        raise QueryError(f"FUNCTION_NOT_FOUND: Unexpected parameters for function {call.name}")
    return Fragment(this=intervals.amount(call[0], DAY_SECOND))


def _part(name: str) -> Translation:
    return Translation(1, 1, lambda call: field_of(name, call))


NOW = "date_trunc('millisecond', now())"
LOCAL_NOW = f"timezone('UTC', {NOW})"
TABLE: dict[str, Translation] = {
    "date_diff": _date_diff,
    "date_add": _date_add,
    "date_trunc": _date_trunc,
    "date_parse": _date_parse,
    "date_format": _formatting(time_formats.mysql),
    "format_datetime": _formatting(time_formats.joda),
    "parse_datetime": _parse_datetime,
    "to_iso8601": _to_iso8601,
    "at_timezone": Translation(2, 2, lambda call: in_zone(call, keeps_wall=False)),
    "with_timezone": Translation(2, 2, lambda call: in_zone(call, keeps_wall=True)),
    "date": _to_date,
    "last_day_of_month": Translation(1, 1, lambda call: Fragment(this=f"last_day({wall(call, 0)})")),
    "from_unixtime": _from_unixtime,
    "to_unixtime": _to_unixtime,
    "from_iso8601_timestamp": _from_iso8601,
    "from_iso8601_date": template("trino_iso_date({0})", "varchar"),
    "human_readable_seconds": template("trino_readable_seconds(CAST(round(abs({0})) AS BIGINT))", "number"),
    "parse_duration": _parse_duration,
    "to_milliseconds": _to_milliseconds,
    "sequence": _sequence,
    "now": template(NOW),
    "current_timezone": template("'UTC'"),
    **{name: _part(name) for name in (*_FIELDS, *_ZONE_FIELDS)},
}
