"""One raw line as a checked record. Pure Python; Spark calls it in :mod:`include.glue.reading`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from include.lake.fingerprint import canonical_json
from include.workloads import FieldSpec, check_record
from include.workloads.fields import parse_instant

UNKNOWN = "unknown"
Schemas = Mapping[str, Mapping[str, FieldSpec]]


class Record(NamedTuple):
    """An event as the transform handles it. Times are naive UTC; ``reason`` is None for a good one, else ``line`` holds what
    came.
    """

    event_date: str
    event_type: str
    key: str | None
    event_time: datetime | None
    recorded_at: datetime | None
    arrived_at: datetime | None
    shard_id: str | None
    sequence_number: str | None
    payload: str | None
    reason: str | None
    line: str | None


class Row(NamedTuple):
    """A version of a reference row; ``payload`` is its canonical JSON."""

    valid_from: datetime | None
    watermark: datetime | None
    payload: str | None
    reason: str | None
    line: str | None


def parse_event(line: str, schemas: Schemas, days: frozenset[str]) -> Record | None:
    """The record of a raw stream line, or None when its day is not asked for.

    The day is the UTC date of event_time; where that cannot be read, of the arrival, so that the record is refused once, on one
    day.
    """
    envelope = _json_object(line)
    event = _mapping(envelope.get("event"))
    problems = [] if envelope else ["line: is not a JSON object"]
    arrived_at = _time(envelope, "arrived_at", problems)
    event_time = _time(event, "event_time", problems)
    recorded_at = _time(event, "recorded_at", problems)
    happened = event_time or arrived_at
    day = happened.date().isoformat() if happened else min(days)
    if day not in days:
        return None

    event_type, key = event.get("event_type"), event.get("key")
    schema = schemas.get(event_type) if isinstance(event_type, str) else None
    payload = None
    if schema is None:
        problems.append("event_type: is not an event of this workload")
        event_type = UNKNOWN
    elif not isinstance(event.get("payload"), dict):
        problems.append("payload: is not an object")
    else:
        payload, mistakes = check_record(schema, event["payload"])
        problems += mistakes
    if not isinstance(key, str) or not key:
        problems.append("key: is not a string with something in it")
        key = None
    return Record(
        event_date=day,
        event_type=event_type,
        key=_storable(key),
        event_time=event_time,
        recorded_at=recorded_at,
        arrived_at=arrived_at,
        shard_id=_text(envelope.get("shard_id")),
        sequence_number=_text(envelope.get("sequence_number")),
        payload=None if problems else canonical_json(payload).decode(),
        reason="; ".join(problems) or None,
        line=_storable(line) if problems else None,
    )


def parse_row(line: str, schema: Mapping[str, FieldSpec], valid_from: str, watermark: str) -> Row:
    """The version of a reference row that a raw table line holds."""
    values = _json_object(line).get("row")
    if not isinstance(values, dict):
        return Row(None, None, None, "row: is not an object", _storable(line))
    clean, problems = check_record(schema, values)
    if problems:
        return Row(None, None, None, "; ".join(problems), _storable(line))
    return Row(_naive(clean[valid_from]), _naive(clean[watermark]), canonical_json(clean).decode(), None, None)


def _json_object(line: str) -> dict[str, Any]:
    try:
        return _mapping(json.loads(line))
    except (ValueError, RecursionError):
        return {}


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _time(values: Mapping[str, Any], name: str, problems: list[str]) -> datetime | None:
    try:
        return _naive(values.get(name))
    except (TypeError, ValueError, OverflowError):
        problems.append(f"{name}: is not an ISO 8601 time with an offset")
        return None


def _naive(text: Any) -> datetime:
    return parse_instant(text).replace(tzinfo=None)


def _text(value: Any) -> str | None:
    return None if value is None else _storable(str(value))


def _storable(text: str | None) -> str | None:
    """Lone surrogates, which JSON can escape but UTF-8 cannot hold, replaced."""
    return None if text is None else text.encode("utf-8", "replace").decode()
