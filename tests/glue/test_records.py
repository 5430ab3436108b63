"""One raw line as a checked record, without Spark."""

from __future__ import annotations

import json
from typing import Any

import pytest

from include.glue.records import ParsedEvent, parse_event, parse_table_row
from include.workloads import FieldSpec
from include.workloads.tables import TableSpec
from tests.support.raw_objects import line, maker, offered, utc

SCHEMAS = {"offered": {"item": FieldSpec(type="string"), "price": FieldSpec(type="number")}}
MAKERS = TableSpec.model_validate(
    {
        "key": ["item"],
        "valid_from": "since",
        "watermark": "updated_at",
        "schema": {
            "item": {"type": "string"},
            "since": {"type": "timestamp"},
            "updated_at": {"type": "timestamp"},
            "name": {"type": "string", "nullable": True},
        },
    }
)
DAYS = frozenset({"2013-03-01", "2013-03-02"})
NOON = "2013-03-01T12:00:00Z"


def parsed(text: str) -> ParsedEvent:
    """The event of a line whose day is wanted."""
    event = parse_event(text, SCHEMAS, "recorded_at", DAYS)
    assert event is not None
    return event


def refusal(text: str) -> str:
    """The reason why a line is refused; the line is kept and can be stored."""
    event = parsed(text)
    assert event.reason and event.payload is None and event.line is not None
    event.line.encode()
    return event.reason


def test_equal_events_have_equal_payloads() -> None:
    one = parsed(line(offered("k", NOON, price=1, item="a")))
    other = parsed(line(offered("k", NOON, item=" a ", price=1.0, more=True)))
    assert one == other and one.reason is None and one.line is None
    assert json.loads(one.payload or "") == {"item": "a", "price": 1.0}
    assert (one.event_date, one.event_time) == ("2013-03-01", utc(2013, 3, 1, 12))


@pytest.mark.parametrize("key", ["\ud800", "a\udc00"])
def test_a_key_that_is_no_unicode_text_is_refused(key: str) -> None:
    assert refusal(line(offered(key, NOON))) == "key: is not valid Unicode text"


def test_the_day_is_that_of_the_event_in_utc() -> None:
    assert parsed(line(offered("k", "2013-03-01T23:30:00-05:00"))).event_date == "2013-03-02"
    assert parse_event(line(offered("k", "2013-03-01T00:30:00+01:00")), SCHEMAS, "recorded_at", DAYS) is None


def test_an_event_without_a_time_belongs_to_the_day_it_arrived() -> None:
    event = offered("k", "noon")
    assert parsed(line(event, arrived_at="2013-03-02T01:00:00Z")).event_date == "2013-03-02"
    assert parse_event(line(event, arrived_at="2013-03-03T01:00:00Z"), SCHEMAS, "recorded_at", DAYS) is None


@pytest.mark.parametrize("text", ["", "[]", "null", "1", "{", '"a"', "[" * 100_000, "\ud83d"])
def test_a_line_that_is_no_object_is_refused_and_kept(text: str) -> None:
    assert refusal(text).startswith("line: is not a JSON object")
    assert (parsed(text).event_date, parsed(text).event_type) == ("2013-03-01", "unknown")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"key": ""}, "key: is not a string, or is empty"),
        ({"key": 7}, "key: is not a string, or is empty"),
        ({"recorded_at": None}, "recorded_at: is not an ISO 8601 time with an offset"),
        ({"event_type": ["offered"]}, "event_type: is not an event of this workload"),
        ({"payload": None}, "payload: is not an object"),
        ({"payload": {"item": "a", "price": float("nan")}}, "price: is not a finite number"),
    ],
)
def test_the_reason_names_field_and_mistake(change: dict[str, Any], reason: str) -> None:
    assert refusal(line(offered("k", NOON) | change)) == reason


def test_a_reference_row_has_its_times_and_its_values() -> None:
    row = parse_table_row(maker("a", "2013-03-01T01:00:00+01:00", NOON, " A  Ltd "), MAKERS, "recorded_at")
    assert (row.valid_from, row.known_at, row.reason) == (utc(2013, 3, 1), utc(2013, 3, 1, 12), None)
    assert json.loads(row.payload or "")["name"] == "A Ltd"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (maker("a", "soon", NOON, None), "since: is not an ISO 8601 time with an offset"),
        ("{}", "row: is not an object"),
    ],
)
def test_a_broken_reference_row_is_refused(text: str, reason: str) -> None:
    row = parse_table_row(text, MAKERS, "recorded_at")
    assert (row.reason, row.payload, row.line) == (reason, None, text)


def test_what_is_read_late_is_known_late() -> None:
    late = "2013-03-04T00:00:00Z"
    event = parsed(line(offered("k", NOON), watermark=late))
    assert (event.recorded_at, event.known_at) == (utc(2013, 3, 1, 12), utc(2013, 3, 4))
    row = parse_table_row(maker("a", NOON, NOON, "A", watermark=late), MAKERS, "recorded_at")
    assert (row.known_at, row.version_time) == (utc(2013, 3, 4), utc(2013, 3, 1, 12))


def test_a_clock_that_is_not_trusted_is_not_used() -> None:
    event = parse_event(line(offered("k", NOON), arrived_at="2013-03-02T00:00:00Z"), SCHEMAS, "arrived_at", DAYS)
    assert event is not None and event.known_at == utc(2013, 3, 2)
    row = parse_table_row(maker("a", NOON, NOON, "A", snapshot="2013-03-02T00:00:00Z"), MAKERS, "arrived_at")
    assert row.known_at == row.version_time == row.arrived_at == utc(2013, 3, 2)


def test_a_watermark_that_cannot_be_read_is_refused() -> None:
    assert refusal(line(offered("k", NOON), watermark="noon")).startswith("watermark: is not an ISO 8601 time")
    row = parse_table_row(maker("a", NOON, NOON, "A", watermark="noon"), MAKERS, "recorded_at")
    assert (row.reason or "").startswith("watermark: is not an ISO 8601 time")


def test_a_row_that_the_ingestion_could_not_read_is_refused_for_its_reason() -> None:
    row = {"item": "a", "since": NOON, "updated_at": NOON, "name": None}
    text = json.dumps({"table": "makers", "snapshot": NOON, "row": row, "refused": "name: is too long"})
    found = parse_table_row(text, MAKERS, "recorded_at")
    assert (found.reason, found.payload, found.line) == ("name: is too long", None, text)
