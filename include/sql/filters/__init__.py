"""The Jinja filters of the query templates: Python values as SQL text.

Standard library only, and a package of its own: sqlfluff imports it too (``library_path`` in pyproject.toml), so that
templates are linted with the filters that render them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime


def identifier(name: str) -> str:
    """Quotes an identifier, because a field may have the name of a keyword."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Writes a varchar literal."""
    return "'" + text.replace("'", "''") + "'"


def timestamp(instant: datetime) -> str:
    """Writes a UTC timestamp literal with milliseconds.

    Raises:
        ValueError: The datetime has no time zone.
    """
    if instant.tzinfo is None:
        raise ValueError("the time has no offset, so it is not an instant: give it a time zone")
    return f"timestamp '{instant.astimezone(UTC).replace(tzinfo=None).isoformat(sep=' ', timespec='milliseconds')}'"


def double(number: float) -> str:
    """Writes a double literal: with an exponent, because a number without one is a decimal.

    Raises:
        ValueError: The number is not finite.
    """
    if not math.isfinite(number):
        raise ValueError(f"{number} has no literal: leave the value out")
    text = repr(float(number))
    return text.upper() if "e" in text else f"{text}E0"


FILTERS: dict[str, Callable[..., str]] = {
    "identifier": identifier,
    "literal": literal,
    "timestamp": timestamp,
    "double": double,
}
# sqlfluff's configuration passes times as text.
SQLFLUFF_JINJA_FILTERS = {**FILTERS, "timestamp": lambda text: timestamp(datetime.fromisoformat(text))}
