"""Values of text files as Python objects of a Hive type. A text that is no value raises ``ValueError``."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Any

from infra.localcloud.athena.hive_types import INTEGER_BITS, HiveType

_INTEGER = re.compile(r"[+-]?[0-9]+")
_REAL = re.compile(r"\s*[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[fFdD]?|NaN|Infinity)\s*")
_DATE = re.compile(r"\s*(\d{4})-(\d{1,2})-(\d{1,2})(?:\s.*)?")
_TIMESTAMP = re.compile(r"\s*(\d{4})-(\d{1,2})-(\d{1,2})[ ](\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,9}))?\s*")
_EXACT = Context(prec=80)
EPOCH = datetime.fromisoformat("1970-01-01")


def integer(text: str, kind: HiveType) -> int:
    """Reads an integer of the type's range."""
    if not _INTEGER.fullmatch(text):
        raise ValueError(f'For input string: "{text}"')
    number, limit = int(text), 1 << (INTEGER_BITS[kind.name] - 1)
    if not -limit <= number < limit:
        raise ValueError(f'Value out of range. Value:"{text}" Radix:10')
    return number


def real(text: str, kind: HiveType) -> float:
    """Reads a double or real."""
    if not _REAL.fullmatch(text):
        raise ValueError(f'For input string: "{text}"' if text.strip() else "empty String")
    plain = text.strip()
    if not plain.endswith(("NaN", "Infinity")):
        plain = plain.rstrip("fFdD")
    return float(plain.replace("Infinity", "inf"))


def decimal(text: str, kind: HiveType) -> Decimal:
    """Reads a decimal, rounded half up to the type's scale."""
    precision, scale = kind.numbers
    try:
        number = Decimal(text)
        if not number.is_finite():
            raise ValueError(f"{text} is not a decimal")
        number = number.quantize(Decimal(1).scaleb(-scale), rounding=ROUND_HALF_UP, context=_EXACT)
    except InvalidOperation:
        raise ValueError(f"{text!r} is not a decimal") from None
    if len(number.as_tuple().digits) > precision and number:
        raise ValueError(f"{text} does not fit decimal({precision},{scale})")
    return number


def day(text: str, kind: HiveType) -> date:
    """Reads ``YYYY-MM-DD``."""
    matched = _DATE.fullmatch(text)
    if not matched:
        raise ValueError(f"Text '{text}' could not be parsed as a date")
    return date(int(matched[1]), int(matched[2]), int(matched[3]))


def instant(text: str, kind: HiveType) -> datetime:
    """Reads ``YYYY-MM-DD HH:MM:SS.fff``, rounded to a millisecond as Athena's timestamps are."""
    matched = _TIMESTAMP.fullmatch(text)
    if not matched:
        raise ValueError(f"Text '{text}' could not be parsed as a timestamp")
    milliseconds = math.floor(int((matched[7] or "0").ljust(9, "0")) / 1e6 + 0.5)
    year, *parts = (part.zfill(2) for part in matched.groups()[:6])
    month, number, hour, minute, second = parts
    start = datetime.fromisoformat(f"{year}-{month}-{number} {hour}:{minute}:{second}")
    return start + timedelta(milliseconds=milliseconds)


def truth(text: str, kind: HiveType) -> bool:
    """Reads true or false in any case."""
    if text.lower() not in ("true", "false"):
        raise ValueError(f"'{text}' is not a boolean")
    return text.lower() == "true"


def string(text: str, kind: HiveType) -> str:
    """Returns the text, cut to the length of a varchar or char."""
    return text[: kind.numbers[0]] if kind.numbers else text


def binary(text: str, kind: HiveType) -> bytes:
    """Reads Base64; a text that is not Base64 is its own bytes."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return text.encode()


PARSERS: dict[str, Callable[[str, HiveType], Any]] = {
    **dict.fromkeys(INTEGER_BITS, integer),
    **dict.fromkeys(("float", "double"), real),
    **dict.fromkeys(("string", "varchar", "char"), string),
    "decimal": decimal,
    "date": day,
    "timestamp": instant,
    "boolean": truth,
    "binary": binary,
}
