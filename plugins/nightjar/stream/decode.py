"""What an event is: the check that a record's bytes must pass to get into raw."""

from __future__ import annotations

import json
from typing import Any, NamedTuple, NoReturn

from nightjar.instants import instant_text, parse_instant

REQUIRED = ("event_type", "key", "event_time", "recorded_at")
KPL_MAGIC = b"\xf3\x89\x9a\xc2"


class Undecodable(ValueError):
    """The bytes are no event; the text says why."""


class Event(NamedTuple):
    """A decoded event: its JSON text, its UTC day (``2013-03-01``) and when its producer recorded it (ISO UTC)."""

    text: str
    day: str
    recorded_at: str


def decode(data: bytes) -> Event:
    """Raises :class:`Undecodable` unless ``data`` is one JSON object in UTF-8 with the four strings every event has."""
    if data.startswith(KPL_MAGIC):
        raise Undecodable(
            "aggregated by the Kinesis Producer Library, which is not read: switch that off in the producer"
        )
    try:
        event = json.loads(data.decode("utf-8"), parse_constant=_refuse_constant)
        if not isinstance(event, dict):
            raise Undecodable(f"not a JSON object but {type(event).__name__}")
        for field in REQUIRED:
            if not isinstance(event.get(field), str):
                raise Undecodable(f"{field}: is not a string" if field in event else f"{field}: is missing")
        text = json.dumps(event, separators=(",", ":"), allow_nan=False)
    except Undecodable:
        raise
    except UnicodeDecodeError as error:
        raise Undecodable(f"not UTF-8: {error.reason} at byte {error.start}") from None
    except (ValueError, RecursionError) as error:
        raise Undecodable(f"not JSON: {error}") from None
    return Event(text, _instant(event, "event_time")[:10], _instant(event, "recorded_at"))


def _instant(event: dict[str, Any], field: str) -> str:
    try:
        return instant_text(parse_instant(event[field]))
    except ValueError as error:
        raise Undecodable(f"{field}: {error}") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")
