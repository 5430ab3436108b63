"""Time zones as Trino names them, and literals of times."""

from __future__ import annotations

import re
from datetime import date

from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.times import TimeType
from infra.localcloud.athena.translator.fragments import Fragment
from infra.localcloud.athena.translator.scope import Scope

_UTC = {"z", "utc", "ut", "uct", "gmt", "gmt0", "gmt+0", "gmt-0", "greenwich", "universal", "zulu", "+00:00", "-00:00"}
_OFFSET = re.compile(r"([+-])(\d{1,2})(?::?(\d\d))?")
_TIMESTAMP = re.compile(
    r"([+-]?\d{4,6})-(\d{1,2})-(\d{1,2})(?: (\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,12}))?)?)?\s*([A-Za-z+-].*)?"
)
_names: dict[str, str] = {}


def zone_name(written: str, scope: Scope) -> str:
    """Returns a zone's name as Trino prints it: ``UTC``, ``+05:30`` or a name of the time zone database.

    Raises:
        QueryError: There is no such zone.
    """
    low = written.strip().lower()
    if low.removeprefix("etc/") in _UTC:
        return "UTC"
    if matched := _OFFSET.fullmatch(low):
        minutes = int(matched[2]) * 60 + int(matched[3] or 0)
        if minutes <= 14 * 60:
            return f"{matched[1]}{minutes // 60:02d}:{minutes % 60:02d}" if minutes else "UTC"
    if not _names:
        found = scope.connection.execute("SELECT name FROM pg_timezone_names()").fetchall()
        _names.update({str(row[0]).lower(): str(row[0]) for row in found})
    if low not in _names:
        raise QueryError(f"INVALID_FUNCTION_ARGUMENT: '{written}' is not a valid time zone")
    return _names[low]


def timestamp_literal(written: str, scope: Scope) -> Fragment:
    """Translates ``timestamp '…'``: its precision is the number of the second's digits.

    Raises:
        QueryError: The text is no timestamp.
        UnsupportedError: It has more than six digits of a second.
    """
    matched = _TIMESTAMP.fullmatch(written.strip())
    if not matched or not _is_time(matched):
        raise QueryError(f"INVALID_LITERAL: '{written}' is not a valid TIMESTAMP literal")
    year, month, day, hour, minute, second, fraction, zone = matched.groups()
    if len(fraction or "") > 6:
        raise UnsupportedError(f"timestamp({len(fraction)})", "The local cloud keeps six digits of a second.")
    moment = f"{year.lstrip('+')}-{month:0>2}-{day:0>2} {hour or '0':0>2}:{minute or '0':0>2}:{second or '0':0>2}"
    value = f"CAST('{moment}{'.' + fraction if fraction else ''}' AS TIMESTAMP)"
    kind = TimeType(precision=len(fraction or ""), zone=zone_name(zone, scope) if zone else None)
    return Fragment(this=kind.of_wall(value))


def _is_time(matched: re.Match[str]) -> bool:
    year, month, day = (int(part) for part in matched.groups()[:3])
    try:
        date(year if 0 < year < 10000 else 2000 + year % 400, month, day)
    except ValueError:
        return False
    hour, minute, second = (int(part or 0) for part in matched.groups()[3:6])
    return hour < 24 and minute < 60 and second < 60
