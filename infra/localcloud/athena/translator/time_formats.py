"""Formats of times: MySQL's letters (date_parse, date_format) and Joda's (parse_datetime, format_datetime).

A format becomes a list of tokens. To print, each token is an expression; to parse, each is a part of a regular
expression whose groups make the time. strptime of DuckDB 1.5 has other defaults than Trino: the year 1900, and 1969 as
the first two-digit year.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.times import TimeType
from infra.localcloud.athena.translator.calls import FunctionCall


@dataclass(frozen=True)
class Token:
    """A part of a format.

    Attributes:
        field: The field; "" for text.
        text: The text of a part that is text.
        width: The number of digits that are printed at least, and the form of names (3 short, 4 full).
        exact: Whether as many digits must be parsed as ``width``, because digits follow.
    """

    field: str
    text: str = ""
    width: int = 2
    exact: bool = False


Tokenizer = Callable[[FunctionCall], list[Token]]
_MYSQL = {
    "Y": Token("year", width=4),
    "y": Token("short_year"),
    "m": Token("month"),
    "c": Token("month", width=1),
    "d": Token("day"),
    "e": Token("day", width=1),
    "H": Token("hour"),
    "k": Token("hour", width=1),
    "h": Token("clock_hour"),
    "I": Token("clock_hour"),
    "l": Token("clock_hour", width=1),
    "i": Token("minute"),
    "s": Token("second"),
    "S": Token("second"),
    "f": Token("fraction", width=6),
    "p": Token("half_day"),
    "M": Token("month_name", width=4),
    "b": Token("month_name", width=3),
    "W": Token("day_name", width=4),
    "a": Token("day_name", width=3),
    "j": Token("day_of_year", width=3),
    "v": Token("week"),
    "x": Token("week_year", width=4),
    "%": Token("", "%"),
}
_COLON, _SPACE = Token("", ":"), Token("", " ")
_MYSQL_GROUPS = {
    "T": [Token("hour"), _COLON, Token("minute"), _COLON, Token("second")],
    "r": [Token("clock_hour"), _COLON, Token("minute"), _COLON, Token("second"), _SPACE, Token("half_day")],
}
_JODA = {
    "y": "year",
    "Y": "year",
    "x": "week_year",
    "M": "month",
    "d": "day",
    "D": "day_of_year",
    "w": "week",
    "e": "day_of_week",
    "E": "day_name",
    "H": "hour",
    "k": "clock_hour_of_day",
    "K": "hour_of_half_day",
    "h": "clock_hour",
    "m": "minute",
    "s": "second",
    "S": "fraction",
    "a": "half_day",
    "Z": "offset",
}
# Joda prints names of zones, eras and centuries in forms that are not known here.
_NUMBERS = {"year", "month", "day", "hour", "minute", "second", "day_of_year", "week", "week_year", "clock_hour"}


def mysql(call: FunctionCall) -> list[Token]:
    """Reads the format of date_parse and date_format.

    Raises:
        QueryError: Trino does not support a letter of it.
    """
    tokens: list[Token] = []
    for matched in re.finditer(r"%(.)|([^%]+)|%$", call.literal(1), re.DOTALL):
        letter = matched[1]
        if letter is None:
            tokens.append(Token("", matched[2] or ""))
        elif letter in _MYSQL_GROUPS:
            tokens += _MYSQL_GROUPS[letter]
        elif letter in "wUuVXD":
            raise QueryError(f"INVALID_FUNCTION_ARGUMENT: %{letter} not supported in date format string")
        else:
            tokens.append(_MYSQL.get(letter, Token("", letter)))
    return tokens


def joda(call: FunctionCall) -> list[Token]:
    """Reads the format of parse_datetime and format_datetime.

    Raises:
        UnsupportedError: A letter of it is not known here.
    """
    pieces = list(re.finditer(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+", call.literal(1)))
    tokens: list[Token] = []
    for index, matched in enumerate(pieces):
        piece, letter = matched[0], matched[2]
        if matched[1] is not None:
            tokens.append(Token("", matched[1].replace("''", "'") or "'"))
        elif letter is None:
            tokens.append(Token("", piece))
        else:
            following = pieces[index + 1][2] if index + 1 < len(pieces) else None
            tokens.append(_joda_token(call, letter, len(piece), bool(following and _is_number(following))))
    return tokens


def _is_number(letter: str) -> bool:
    return _JODA.get(letter) in _NUMBERS


def _joda_token(call: FunctionCall, letter: str, width: int, before_number: bool) -> Token:
    field = _JODA.get(letter)
    if field is None or (letter == "Z" and width > 2):
        raise UnsupportedError(f"{call.name} with the pattern {letter * width}")
    if letter == "M" and width >= 3:
        return Token("month_name", width=min(width, 4))
    if letter == "E":
        return Token("day_name", width=4 if width >= 4 else 3)
    if field == "year" and width == 2:
        return Token("short_year")
    return Token(field, width=width, exact=before_number)


# --- printing ------------------------------------------------------------------------------------------------------

_PRINTED = {
    "year": "year({0})",
    "month": "month({0})",
    "day": "day({0})",
    "hour": "hour({0})",
    "hour_of_half_day": "(hour({0}) % 12)",
    "clock_hour": "((hour({0}) + 11) % 12 + 1)",
    "clock_hour_of_day": "((hour({0}) + 23) % 24 + 1)",
    "minute": "minute({0})",
    "second": "CAST(floor(second({0})) AS BIGINT)",
    "day_of_year": "dayofyear({0})",
    "day_of_week": "isodow({0})",
    "week": "week({0})",
    "week_year": "isoyear({0})",
    "short_year": "(year({0}) % 100)",
}


def formatted(time: TimeType, value: str, tokens: list[Token]) -> str:
    """Writes the text of a time; a fraction of a second is cut to milliseconds."""
    wall = time.wall(value)
    if time.base == "date":
        wall = f"CAST({wall} AS TIMESTAMP)"
    pieces = [_piece(time, value, wall, token) for token in tokens]
    return f"({' || '.join(pieces)})" if pieces else f"CASE WHEN {value} IS NOT NULL THEN '' END"


def _piece(time: TimeType, value: str, wall: str, token: Token) -> str:
    if token.field == "":
        return f"'{token.text.replace(chr(39), chr(39) * 2)}'"
    if token.field == "fraction":
        return f"rpad(strftime({wall}, '%g')[:{token.width}], {token.width}, '0')"
    if token.field == "offset":
        minutes = f"date_sub('minute', {time.utc(value)}, {wall})" if time.zone is not None else "0"
        written = f"trino_offset_text({minutes}, '+00:00')"
        return f"replace({written}, ':', '')" if token.width == 1 else written
    names = {"month_name": "%B" if token.width == 4 else "%b", "day_name": "%A" if token.width == 4 else "%a"}
    if token.field in names or token.field == "half_day":
        return f"strftime({wall}, '{names.get(token.field, '%p')}')"
    return f"printf('%0{token.width}d', {_PRINTED[token.field].format(wall)})"


# --- parsing -------------------------------------------------------------------------------------------------------

_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_FULL_MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december"
_DAYS = "monday|tuesday|wednesday|thursday|friday|saturday|sunday|mon|tue|wed|thu|fri|sat|sun"
_PATTERNS = {
    "month_name": f"{_FULL_MONTHS}|{_MONTHS}",
    "day_name": _DAYS,
    "half_day": "am|pm",
    "fraction": "[0-9]{1,9}",
    "short_year": "[0-9]{2}",
    "day_of_year": "[0-9]{1,3}",
    "day_of_week": "[1-7]",
    "offset": "z|[+-][0-9]{2}(?::?[0-9]{2})?",
}


def _pattern(token: Token) -> str:
    if token.field == "":
        return re.sub(r"([\\.\[\]{}()*+?^$|])", r"\\\1", token.text)
    if token.field in ("year", "week_year"):
        return f"({'-?' if not token.exact else ''}[0-9]{{1,{4 if token.exact or token.width == 4 else 9}}})"
    default = f"[0-9]{{{token.width}}}" if token.exact else f"[0-9]{{1,{max(token.width, 2)}}}"
    return f"({_PATTERNS.get(token.field, default)})"


def parsed(value: str, tokens: list[Token], *, mysql_years: bool) -> str:
    """Writes the TIMESTAMP that a text of a format stands for; the text must match the whole format.

    Args:
        value: The DuckDB text of the varchar.
        tokens: The format.
        mysql_years: Whether two digits are a year from 1970 to 2069. Joda's years are from 80 years ago on.

    Raises:
        UnsupportedError: The format has a field twice, or no time can be made of its fields.
    """
    fields = [token.field for token in tokens if token.field]
    if len(set(fields)) < len(fields):
        raise UnsupportedError("parsing of a format that has a field twice")
    pattern = "(?is)^" + "".join(map(_pattern, tokens)).replace("'", "''") + "$"
    groups = "[" + ", ".join(f"'{field}'" for field in fields) + "]"
    if not fields:
        raise UnsupportedError("parsing of a format without fields")
    matches = f"regexp_extract({value}, '{pattern}', {groups})"
    first = 1970 if mysql_years else datetime.now(UTC).year - 80
    parts = _date(fields, first), _hour(fields), _part("minute", fields), _second(fields), value
    made = f"trino_checked_time({', '.join(parts)})"
    matching = f"regexp_matches({value}, '{pattern}')"
    failing = f"CAST('INVALID_FUNCTION_ARGUMENT: Invalid format: \"' || {value} || '\"' AS TIMESTAMP)"
    return (
        f"CASE WHEN {value} IS NULL THEN NULL WHEN {matching} "
        f"THEN list_transform([{matches}], lambda nj_g: {made})[1] ELSE {failing} END"
    )


def parsed_zone(value: str, tokens: list[Token]) -> str | None:
    """Writes the zone in a text of a format; None if the format has none."""
    if not any(token.field == "offset" for token in tokens):
        return None
    pattern = "(?is)^" + "".join(map(_pattern, tokens)).replace("'", "''") + "$"
    groups = "[" + ", ".join(f"'{token.field}'" for token in tokens if token.field) + "]"
    return f"trino_parsed_offset(upper(regexp_extract({value}, '{pattern}', {groups})['offset']))"


def _part(field: str, fields: list[str], default: str = "0") -> str:
    return f"CAST(nj_g.{field} AS BIGINT)" if field in fields else default


def _date(fields: list[str], first_short_year: int) -> str:
    """The date as TIMESTAMP: 1970-01-01, or in the year 2000 if the format has a month or day and no year."""
    if "week" in fields or "week_year" in fields:
        if {"year", "short_year", "month", "day", "day_of_year"} & set(fields) or "week_year" not in fields:
            raise UnsupportedError("parsing of a week without its week year")
        day = _part("day_of_week", fields, "1")
        return f"trino_week_date({_part('week_year', fields)}, {_part('week', fields, '1')}, {day})"
    dated = {"month", "month_name", "day", "day_of_year"} & set(fields)
    year = _part("year", fields, "2000" if dated else "1970")
    if "short_year" in fields:
        low = first_short_year
        year = f"({low} + ((CAST(nj_g.short_year AS BIGINT) - {low}) % 100 + 100) % 100)"
    if "day_of_year" in fields:
        return f"trino_ordinal_date({year}, {_part('day_of_year', fields)})"
    month = _part("month", fields, "1")
    if "month_name" in fields:
        month = f"((strpos('{_MONTHS}', lower(nj_g.month_name[1:3])) + 3) // 4)"
    return f"trino_calendar_date({year}, {month}, {_part('day', fields, '1')})"


def _hour(fields: list[str]) -> str:
    if "hour" in fields:
        return _part("hour", fields)
    if "clock_hour_of_day" in fields:
        return f"({_part('clock_hour_of_day', fields)} % 24)"
    hour = (
        f"trino_clock_hour({_part('clock_hour', fields)})"
        if "clock_hour" in fields
        else _part("hour_of_half_day", fields)
    )
    return f"({hour} + CASE WHEN lower(nj_g.half_day) = 'pm' THEN 12 ELSE 0 END)" if "half_day" in fields else hour


def _second(fields: list[str]) -> str:
    second = _part("second", fields)
    if "fraction" not in fields:
        return f"{second} * 1000"
    return f"({second} * 1000 + CAST(rpad(nj_g.fraction, 3, '0')[:3] AS BIGINT))"
