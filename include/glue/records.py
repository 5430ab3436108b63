"""Parses and checks one raw line. Pure Python; :mod:`include.glue.reading` calls it in Spark."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from include.lake.fingerprint import canonical_text
from include.lake.instants import parse_naive
from include.lake.known import Clock, known_at, version_time
from include.workloads import FieldSpec, check_record
from include.workloads.tables import TableSpec

UNKNOWN = "unknown"
_DECODE = json.JSONDecoder().decode  # what json.loads does for text, without its options
Schemas = Mapping[str, Mapping[str, FieldSpec]]


class ParsedEvent(NamedTuple):
    """One event of the stream.

    Times are naive UTC. ``payload`` is canonical JSON. A refused event has a ``reason`` and the raw ``line``; a good
    one has neither.
    """

    event_date: str
    event_type: str
    key: str | None
    event_time: datetime | None
    known_at: datetime | None
    recorded_at: datetime | None
    arrived_at: datetime | None
    shard_id: str | None
    sequence_number: str | None
    payload: str | None
    reason: str | None
    line: str | None


class ParsedTableRow(NamedTuple):
    """One version of a reference row, with the same conventions as :class:`ParsedEvent`.

    ``arrived_at`` is the snapshot that it was read in. ``version_time`` is the instant by which versions are ordered.
    """

    valid_from: datetime | None
    known_at: datetime | None
    version_time: datetime | None
    arrived_at: datetime | None
    payload: str | None
    reason: str | None
    line: str | None


def parse_event(
    line: str, schemas: Schemas, clock: Clock, days: frozenset[str], heartbeat: str | None = None
) -> ParsedEvent | None:
    """Parses a raw line of the stream.

    Args:
        line: ``{"shard_id", "sequence_number", "arrived_at", "watermark", "event"}`` as JSON.
        schemas: The fields of each event type.
        clock: The workload's clock.
        days: The days (ISO 8601) that are wanted.
        heartbeat: The event type of heartbeats, which are not events.

    Returns:
        The event, or None if its day is not wanted. The day is the UTC date of event_time; if that cannot be read, of
        the arrival, so that a broken record is refused once, on one day.
    """
    envelope = _json_object(line)
    event = _mapping(envelope.get("event"))
    problems = [] if envelope else ["line: is not a JSON object"]
    arrived_at = _time(envelope, "arrived_at", problems)
    event_time = _time(event, "event_time", problems)
    recorded_at = _time(event, "recorded_at", problems)
    watermark = _watermark(envelope, problems)
    happened = event_time or arrived_at
    day = happened.date().isoformat() if happened else min(days)
    if day not in days or (heartbeat is not None and event.get("event_type") == heartbeat):
        return None

    event_type, payload = _payload(event, schemas, problems)
    key = event.get("key")
    if not isinstance(key, str) or not key:
        problems.append("key: is not a string, or is empty")
        key = None
    elif _storable(key) != key:  # two such keys would become one
        problems.append("key: is not valid Unicode text")
    return ParsedEvent(
        day,
        event_type,
        _storable(key),
        event_time,
        known_at(clock, recorded_at, arrived_at, watermark) if recorded_at and arrived_at else None,
        recorded_at,
        arrived_at,
        _text(envelope.get("shard_id")),
        _text(envelope.get("sequence_number")),
        payload=None if problems else canonical_text(payload),
        reason="; ".join(problems) or None,
        line=_storable(line) if problems else None,
    )


def parse_table_row(line: str, table: TableSpec, clock: Clock) -> ParsedTableRow:
    """Parses a raw line of a table.

    Args:
        line: ``{"table", "snapshot", "watermark", "row"}`` as JSON, and ``refused``, the reason, if the row could not
            be read.
        table: The table's declaration.
        clock: The workload's clock. ``recorded_at`` trusts the table's watermark column.
    """
    envelope, problems = _json_object(line), list[str]()
    values = envelope.get("row")
    if not isinstance(values, dict):
        return _refused_row("row: is not an object", line)
    if reason := _text(envelope.get("refused")):  # the ingestion could not read it as it is
        return _refused_row(reason, line)
    arrived_at, read_after = _time(envelope, "snapshot", problems), _watermark(envelope, problems)
    clean, found = check_record(table.fields, values)
    if problems or found or arrived_at is None:
        return _refused_row("; ".join([*problems, *found]), line)
    written_at = parse_naive(clean[table.watermark])
    return ParsedTableRow(
        valid_from=parse_naive(clean[table.valid_from]),
        known_at=known_at(clock, written_at, arrived_at, read_after),
        version_time=version_time(clock, written_at, arrived_at),
        arrived_at=arrived_at,
        payload=canonical_text(clean),
        reason=None,
        line=None,
    )


def _refused_row(reason: str, line: str) -> ParsedTableRow:
    return ParsedTableRow(None, None, None, None, None, reason, _storable(line))


def _payload(event: Mapping[str, Any], schemas: Schemas, problems: list[str]) -> tuple[str, dict[str, Any] | None]:
    """Returns the event type and the clean payload, and appends what is wrong with them to ``problems``."""
    event_type = event.get("event_type")
    if not isinstance(event_type, str) or event_type not in schemas:
        problems.append("event_type: is not an event of this workload")
        return UNKNOWN, None
    if not isinstance(event.get("payload"), dict):
        problems.append("payload: is not an object")
        return event_type, None
    payload, found = check_record(schemas[event_type], event["payload"])
    problems += found
    return event_type, payload


def _json_object(line: str) -> dict[str, Any]:
    try:
        return _mapping(_DECODE(line))
    except (ValueError, RecursionError):
        return {}


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _time(values: Mapping[str, Any], name: str, problems: list[str]) -> datetime | None:
    try:
        return parse_naive(values.get(name))  # type: ignore[arg-type]
    except ValueError:
        problems.append(f"{name}: is not an ISO 8601 time with an offset")
        return None


def _watermark(envelope: Mapping[str, Any], problems: list[str]) -> datetime | None:
    """The source's watermark when the line was written; None if it had none yet."""
    return None if envelope.get("watermark") is None else _time(envelope, "watermark", problems)


def _text(value: Any) -> str | None:
    return None if value is None else _storable(str(value))


def _storable(text: str | None) -> str | None:
    """Replaces lone surrogates, which JSON can escape but UTF-8 cannot encode."""
    return text if text is None or text.isascii() else text.encode("utf-8", "replace").decode()
