"""JSON for the values of PostgreSQL, made from the text that the database prints: digits are kept, nothing raises."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import NamedTuple

NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
# Line breaks in a json value are between its parts; inside a string they are escaped.
_LINE_BREAKS = str.maketrans("\r\n", "  ")
TIMES = {"timestamptz", "timestamp", "date"}
NO_TIME = "is not a time between the years 1 and 9999"
NO_NUMBER = "is not a finite number"
NO_TEXT = "is not valid UTF-8"


class ColumnType(NamedTuple):
    """A column's type in PostgreSQL (for a domain, what it is based on) and the type that the caller declares.

    Attributes:
        name: ``pg_type.typname``.
        category: ``pg_type.typcategory``: N numeric, A array, C composite …
        length: Bytes of a value; negative if they vary.
        kind: string, integer, number, boolean or timestamp.
    """

    name: str
    category: str
    length: int
    kind: str


def json_text(text: str | bytes | None, column: ColumnType) -> tuple[str, str | None]:
    """Returns a value as JSON, and what is wrong with it or None.

    A value without a JSON form of the declared type becomes a JSON string of what the database printed, so that it is
    not lost. Numbers keep their digits. Times become ISO 8601 UTC. json, arrays and composite types are JSON, or, if
    declared as ``string``, a string with their JSON.

    Args:
        text: What the database printed; null is None. Times with a zone must be printed in UTC, in style ISO.
            Bytes if the database has no encoding (SQL_ASCII).
        column: The column.
    """
    if text is None:
        return "null", None
    if isinstance(text, bytes):
        decoded = text.decode(errors="backslashreplace")
        if decoded.encode() != text:
            return json.dumps(decoded), NO_TEXT
        text = decoded
    if column.name == "timestamptz" or (column.kind == "timestamp" and column.name in TIMES):
        instant = utc_instant(text)
        return (json.dumps(text), NO_TIME) if instant is None else (json.dumps(iso(instant)), None)
    if column.kind == "string":
        return json.dumps(text), None
    if column.category == "N":
        return (text, None) if NUMBER.fullmatch(text) else (json.dumps(text), NO_NUMBER)
    if column.name == "bool":
        return text, None
    if column.name in ("json", "jsonb") or column.category in "AC":
        return text.translate(_LINE_BREAKS), None
    return json.dumps(text), None


def utc_instant(text: str) -> datetime | None:
    """Parses a ``timestamptz`` as PostgreSQL prints it in UTC; None if Python has no such time."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:  # infinity, BC, years above 9999
        return None
    if instant.tzinfo is UTC:
        return instant
    return instant.astimezone(UTC) if instant.tzinfo else None


def iso(instant: datetime) -> str:
    """Formats a UTC instant in a fixed width: ``2013-03-01T10:15:00.000000Z``."""
    return instant.isoformat(timespec="microseconds").replace("+00:00", "Z")
