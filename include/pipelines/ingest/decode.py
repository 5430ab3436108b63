"""Decides whether a record's bytes are an event. Only events get into raw, as they were sent."""

from __future__ import annotations

import json
import math
from codecs import BOM_UTF8
from collections import Counter
from datetime import datetime
from typing import Any, NamedTuple, NoReturn

from include.errors import NightjarError
from include.lake.instants import parse_instant

REQUIRED = ("event_type", "key", "event_time", "recorded_at")
# JSON allows line breaks between values, never inside a string: there they are escaped.
_LINE_BREAKS = str.maketrans("\r\n", "  ")


class UndecodableError(NightjarError, ValueError):
    """The bytes are not an event. The text gives the reason."""


class DecodedEvent(NamedTuple):
    """An event: its JSON text on one line, otherwise as sent, its type, and its times (UTC).

    ``is_feedback``: it came through ``POST /feedback`` of the service, which names the request.
    """

    text: str
    event_type: str
    event_time: datetime
    recorded_at: datetime
    is_feedback: bool = False

    @property
    def day(self) -> str:
        """The UTC day of the event time: ``2013-03-01``."""
        return self.event_time.date().isoformat()


def decode(data: bytes) -> DecodedEvent:
    """Decodes one JSON object in UTF-8 that has the four string fields of every event.

    Raises:
        UndecodableError: ``data`` is anything else, or has a member twice in one object, a number that is beyond a
            double, or text that is not Unicode in one of the four fields.
    """
    try:
        text = data.decode("utf-8")
        event = _DECODER.decode(text)
    except UndecodableError:
        raise
    except UnicodeDecodeError as error:
        raise UndecodableError(f"not UTF-8: {error.reason} at byte {error.start}") from None
    except (ValueError, RecursionError) as error:
        if data.startswith(BOM_UTF8):
            raise UndecodableError("not JSON: begins with a byte order mark") from None
        raise UndecodableError(f"not JSON: {error}") from None
    fields, line = _require_fields(event), text.strip()
    if "\n" in line or "\r" in line:
        line = line.translate(_LINE_BREAKS)
    return DecodedEvent(line, fields["event_type"], *event_times(fields), isinstance(fields.get("request_id"), str))


def event_times(event: dict[str, Any]) -> tuple[datetime, datetime]:
    """Returns ``event_time`` and ``recorded_at`` of an event that :func:`decode` accepted."""
    return _instant(event, "event_time"), _instant(event, "recorded_at")


def _require_fields(event: Any) -> dict[str, Any]:
    if not isinstance(event, dict):
        raise UndecodableError(f"not a JSON object but {type(event).__name__}")
    for field in REQUIRED:
        value = event.get(field)
        if isinstance(value, str) and value.isascii():
            continue
        if not isinstance(value, str):
            raise UndecodableError(f"{field}: is not a string" if field in event else f"{field}: is missing")
        try:
            value.encode()
        except UnicodeEncodeError:  # half of a surrogate pair, escaped: no UTF-8 text can contain it
            raise UndecodableError(f"{field}: is not valid Unicode text") from None
    return event


def _instant(event: dict[str, Any], field: str) -> datetime:
    try:
        return parse_instant(event[field])
    except ValueError as error:
        raise UndecodableError(f"{field}: {error}") from None


def _object_without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        repeated = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise UndecodableError(f"{repeated!a}: is given more than once in an object")
    return result


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{text[:40]} is beyond the range of a double")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


_DECODER = json.JSONDecoder(
    parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_object_without_repeats
)
