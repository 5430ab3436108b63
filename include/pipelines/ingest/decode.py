"""Decides whether a record's bytes are an event. Only events get into raw."""

from __future__ import annotations

import json
from typing import Any, NamedTuple, NoReturn

from include.errors import NightjarError
from include.lake.instants import format_instant, parse_instant

REQUIRED = ("event_type", "key", "event_time", "recorded_at")
KPL_MAGIC = b"\xf3\x89\x9a\xc2"


class UndecodableError(NightjarError, ValueError):
    """The bytes are not an event. The text gives the reason."""


class DecodedEvent(NamedTuple):
    """A decoded event: its JSON text, the UTC day of its event time (``2013-03-01``), and ``recorded_at`` (ISO UTC)."""

    text: str
    day: str
    recorded_at: str


def decode(data: bytes) -> DecodedEvent:
    """Decodes one JSON object in UTF-8 that has the four string fields of every event.

    Raises:
        UndecodableError: ``data`` is anything else.
    """
    if data.startswith(KPL_MAGIC):
        raise UndecodableError(
            "aggregated by the Kinesis Producer Library, which is not read: switch that off in the producer"
        )
    try:
        event = json.loads(data.decode("utf-8"), parse_constant=_refuse_constant)
        text = json.dumps(_require_fields(event), separators=(",", ":"), allow_nan=False)
    except UndecodableError:
        raise
    except UnicodeDecodeError as error:
        raise UndecodableError(f"not UTF-8: {error.reason} at byte {error.start}") from None
    except (ValueError, RecursionError) as error:
        raise UndecodableError(f"not JSON: {error}") from None
    return DecodedEvent(text, *event_times(event))


def event_times(event: dict[str, Any]) -> tuple[str, str]:
    """Returns the UTC day of the event time and ``recorded_at`` (ISO UTC) of an event that :func:`decode` accepted."""
    return _instant(event, "event_time")[:10], _instant(event, "recorded_at")


def _require_fields(event: Any) -> dict[str, Any]:
    if not isinstance(event, dict):
        raise UndecodableError(f"not a JSON object but {type(event).__name__}")
    for field in REQUIRED:
        if not isinstance(event.get(field), str):
            raise UndecodableError(f"{field}: is not a string" if field in event else f"{field}: is missing")
    return event


def _instant(event: dict[str, Any], field: str) -> str:
    try:
        return format_instant(parse_instant(event[field]))
    except ValueError as error:
        raise UndecodableError(f"{field}: {error}") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")
