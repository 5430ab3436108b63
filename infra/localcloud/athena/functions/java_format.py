"""Trino's ``format``: the conversions of java.util.Formatter in the locale en-US."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any

import pyarrow as pa

from infra.localcloud.athena.errors import UnsupportedError
from infra.localcloud.athena.functions.python import PythonFunction
from infra.localcloud.athena.functions.text import wrong_argument
from infra.localcloud.athena.values import double_text, single_text

_SPECIFIER = re.compile(r"%(?:(\d+)\$)?([-#+ 0,(<]*)(\d+)?(?:\.(\d+))?(t|T)?([a-zA-Z%])")
_DATES = {
    "Y": "%Y",
    "y": "%y",
    "m": "%m",
    "d": "%d",
    "e": "%-d",
    "B": "%B",
    "b": "%b",
    "h": "%b",
    "A": "%A",
    "a": "%a",
    "j": "%j",
    "H": "%H",
    "k": "%-H",
    "I": "%I",
    "l": "%-I",
    "M": "%M",
    "S": "%S",
    "p": "%p",
    "F": "%Y-%m-%d",
    "T": "%H:%M:%S",
    "R": "%H:%M",
    "D": "%m/%d/%y",
}
_TIMES = frozenset("HkIlMSpTR")
_JAVA_NAMES = {
    bool: "java.lang.Boolean",
    int: "java.lang.Long",
    float: "java.lang.Double",
    Decimal: "java.math.BigDecimal",
    str: "java.lang.String",
    datetime: "java.time.LocalDateTime",
    date: "java.time.LocalDate",
}


class _Real(float):
    """A value of type real, which Java prints with fewer digits than a double."""


def _java_text(value: Any) -> str:
    """Prints a value as Java's String.valueOf does."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, _Real):
        return single_text(value)
    if isinstance(value, float):
        return double_text(value)
    if isinstance(value, datetime):
        return _datetime_text(value)
    return str(value)


def _datetime_text(value: datetime) -> str:
    if value.tzinfo:
        raise UnsupportedError("format of a timestamp with time zone")
    written = value.strftime("%Y-%m-%dT%H:%M")
    if value.second or value.microsecond:
        written += f":{value.second:02d}"
    if value.microsecond:
        written += f".{value.microsecond:06d}" if value.microsecond % 1000 else f".{value.microsecond // 1000:03d}"
    return written


def _invalid(pattern: str, reason: str) -> Exception:
    return wrong_argument(f"Invalid format string: {pattern} ({reason})")


def _mismatch(pattern: str, conversion: str, value: Any) -> Exception:
    name = "java.lang.Float" if isinstance(value, _Real) else _JAVA_NAMES.get(type(value), "java.lang.Object")
    return _invalid(pattern, f"IllegalFormatConversion: {conversion} != {name}")


def _signed(written: str, negative: bool, flags: str) -> str:
    """Puts the sign before a number without one."""
    if negative:
        return f"({written})" if "(" in flags else "-" + written
    return "+" + written if "+" in flags else " " + written if " " in flags else written


def _zero_padded(written: str, flags: str, width: int | None) -> str:
    """Puts zeros after the sign."""
    if "0" not in flags or width is None or len(written) >= width:
        return written
    sign = 1 if written[0] in "+- (" else 0
    return written[:sign] + "0" * (width - len(written)) + written[sign:]


def _number(pattern: str, value: Any, conversion: str, flags: str, precision: int | None, width: int | None) -> str:
    if conversion == "d":
        if isinstance(value, bool) or not isinstance(value, int):
            raise _mismatch(pattern, conversion, value)
        written = f"{abs(value):,}" if "," in flags else str(abs(value))
        return _zero_padded(_signed(written, value < 0, flags), flags, width)
    if not isinstance(value, float | Decimal):
        raise _mismatch(pattern, conversion, value)
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return _signed("NaN" if value != value else "Infinity", value < 0, flags)
    exact = Decimal(_java_text(value)) if isinstance(value, float) else value
    negative = exact.is_signed()
    exact = abs(exact)
    digits = 6 if precision is None else precision
    if conversion == "e":
        written = _scientific(exact, digits)
    else:
        rounded = exact.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP) if exact.adjusted() < 300 else exact
        written = f"{rounded:,f}" if "," in flags else f"{rounded:f}"
    return _zero_padded(_signed(written, negative, flags), flags, width)


def _scientific(exact: Decimal, digits: int) -> str:
    if not exact:
        return f"{Decimal(0):.{digits}f}e+00"
    exponent = exact.adjusted()
    mantissa = exact.scaleb(-exponent).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    if mantissa >= 10:
        mantissa, exponent = (mantissa / 10).quantize(Decimal(1).scaleb(-digits)), exponent + 1
    return f"{mantissa:f}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"


def _radix(pattern: str, value: Any, conversion: str, flags: str, width: int | None) -> str:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _mismatch(pattern, conversion, value)
    unsigned = value if value >= 0 else value + 2**64
    written = f"{unsigned:x}" if conversion == "x" else f"{unsigned:o}"
    if "#" in flags:
        written = ("0x" if conversion == "x" else "0") + written
    return _zero_padded(written, flags, width)


def _time(pattern: str, value: Any, conversion: str) -> str:
    if conversion not in _DATES:
        raise UnsupportedError(f"format with %t{conversion}")
    if not isinstance(value, date):
        raise _mismatch(pattern, conversion, value)
    if not isinstance(value, datetime) and conversion in _TIMES:
        raise _invalid(pattern, "UnsupportedTemporalType: Unsupported field")
    written = value.strftime(_DATES[conversion])
    return written.lower() if conversion == "p" else written


def _character(pattern: str, value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return chr(value)
    raise _mismatch(pattern, "c", value)


def _converted(pattern: str, value: Any, conversion: str, flags: str, width: int | None, precision: int | None) -> str:
    if conversion == "b":
        return _java_text(value if isinstance(value, bool) else value is not None)[:precision]
    if value is None or conversion == "s":
        return _java_text(value)[:precision]
    if conversion in "dfe":
        return _number(pattern, value, conversion, flags, precision, width)
    if conversion in "xo":
        return _radix(pattern, value, conversion, flags, width)
    if conversion == "c":
        return _character(pattern, value)
    raise UnsupportedError(f"format with %{conversion}")


@lru_cache(maxsize=256)
def _parsed(pattern: str) -> tuple[str | re.Match[str], ...]:
    pieces: list[str | re.Match[str]] = []
    index = 0
    while index < len(pattern):
        end = pattern.find("%", index)
        if end < 0:
            end = len(pattern)
        if end > index:
            pieces.append(pattern[index:end])
        index = end
        if index < len(pattern):
            matched = _SPECIFIER.match(pattern, index)
            if not matched:
                raise _invalid(pattern, "UnknownFormatConversion: Conversion = '%'")
            pieces.append(matched)
            index = matched.end()
    return tuple(pieces)


def _format(pattern: str, values: list[Any]) -> str:
    written, ordinary, last = [], 0, -1
    for piece in _parsed(pattern):
        if isinstance(piece, str):
            written.append(piece)
            continue
        position, flags, wide, exact, time, conversion = piece.groups()
        width = int(wide) if wide else None
        if conversion in "n%" and not time:
            written.append(_aligned("\n" if conversion == "n" else "%", flags, width))
            continue
        if position:
            last = int(position) - 1
        elif "<" not in flags:
            last, ordinary = ordinary, ordinary + 1
        if not 0 <= last < len(values):
            raise _invalid(pattern, f"MissingFormatArgument: Format specifier '{piece[0]}'")
        value, precision = values[last], int(exact) if exact else None
        if time:
            text = _time(pattern, value, conversion) if value is not None else "null"
            upper = time == "T"
        else:
            text = _converted(pattern, value, conversion.lower(), flags, width, precision)
            upper = conversion.isupper()
        written.append(_aligned(text.upper() if upper else text, flags, width))
    return "".join(written)


def _aligned(text: str, flags: str, width: int | None) -> str:
    if width is None:
        return text
    return text.ljust(width) if "-" in flags else text.rjust(width)


def _values(column: pa.ChunkedArray) -> list[Any]:
    if pa.types.is_struct(column.type) and [field.name[:10] for field in column.type] == ["timestamp("]:
        # A timestamp of another precision than three digits.
        return [value and next(iter(value.values())) for value in column.to_pylist()]
    values = column.to_pylist()
    if pa.types.is_float32(column.type):
        return [None if value is None else _Real(value) for value in values]
    if pa.types.is_nested(column.type) or pa.types.is_binary(column.type):
        raise UnsupportedError(f"format of {column.type}")
    return values


def _batch(patterns: pa.ChunkedArray, *columns: pa.ChunkedArray) -> list[str | None]:
    rows = zip(patterns.to_pylist(), *map(_values, columns), strict=True)
    return [None if pattern is None else _format(pattern, values) for pattern, *values in rows]


FUNCTIONS = (PythonFunction("py_format", _batch, None, "VARCHAR", typed=True),)
