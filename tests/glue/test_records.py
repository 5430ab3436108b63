"""One raw line as a record, without Spark."""

from __future__ import annotations

import json

import pytest

from include.glue.featuring import compute_row
from include.glue.records import parse_event, parse_row
from include.workloads import FieldSpec
from tests.support.raw_objects import line, maker, offered, utc

SCHEMAS = {"offered": {"item": FieldSpec(type="string"), "price": FieldSpec(type="number")}}
MAKERS = {
    "item": FieldSpec(type="string"),
    "since": FieldSpec(type="timestamp"),
    "updated_at": FieldSpec(type="timestamp"),
    "name": FieldSpec(type="string", nullable=True),
}
DAYS = frozenset({"2013-03-01", "2013-03-02"})
NOON = "2013-03-01T12:00:00Z"


def test_equal_events_have_equal_payloads() -> None:
    one = parse_event(line(offered("k", NOON, price=1, item="a")), SCHEMAS, DAYS)
    other = parse_event(line(offered("k", NOON, item=" a ", price=1.0, more=True)), SCHEMAS, DAYS)
    assert one == other and one.reason is None and one.line is None
    assert json.loads(one.payload) == {"item": "a", "price": 1.0}
    assert (one.event_date, one.event_time) == ("2013-03-01", utc(2013, 3, 1, 12))


def test_the_day_is_that_of_the_event_in_utc() -> None:
    assert parse_event(line(offered("k", "2013-03-01T23:30:00-05:00")), SCHEMAS, DAYS).event_date == "2013-03-02"
    assert parse_event(line(offered("k", "2013-03-01T00:30:00+01:00")), SCHEMAS, DAYS) is None


def test_an_event_without_a_time_belongs_to_the_day_it_arrived() -> None:
    event = offered("k", "noon")
    assert parse_event(line(event, arrived_at="2013-03-02T01:00:00Z"), SCHEMAS, DAYS).event_date == "2013-03-02"
    assert parse_event(line(event, arrived_at="2013-03-03T01:00:00Z"), SCHEMAS, DAYS) is None


@pytest.mark.parametrize("text", ["", "[]", "null", "1", "{", '"a"', "[" * 100_000, "\ud83d"])
def test_a_line_that_is_no_object_is_refused_and_not_lost(text: str) -> None:
    record = parse_event(text, SCHEMAS, DAYS)
    assert record.event_date == "2013-03-01" and record.event_type == "unknown"
    assert record.reason.startswith("line: is not a JSON object")
    record.line.encode()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"key": ""}, "key: is not a string with something in it"),
        ({"key": 7}, "key: is not a string with something in it"),
        ({"recorded_at": None}, "recorded_at: is not an ISO 8601 time with an offset"),
        ({"event_type": ["offered"]}, "event_type: is not an event of this workload"),
        ({"payload": None}, "payload: is not an object"),
        ({"payload": {"item": "a", "price": float("nan")}}, "price: is not a finite number"),
    ],
)
def test_what_is_wrong_is_said(change: dict, reason: str) -> None:
    record = parse_event(line(offered("k", NOON) | change), SCHEMAS, DAYS)
    assert record.reason == reason and record.payload is None and record.line


def test_a_reference_row_has_its_times_and_its_values() -> None:
    row = parse_row(maker("a", "2013-03-01T01:00:00+01:00", NOON, " A  Ltd "), MAKERS, "since", "updated_at")
    assert (row.valid_from, row.watermark, row.reason) == (utc(2013, 3, 1), utc(2013, 3, 1, 12), None)
    assert json.loads(row.payload)["name"] == "A Ltd"
    assert parse_row(maker("a", "soon", NOON, None), MAKERS, "since", "updated_at").reason.startswith("since: is not")
    assert parse_row("{}", MAKERS, "since", "updated_at").reason == "row: is not an object"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"n": 1, "c": "x"}, None),
        ({"n": None, "c": None}, None),
        ({"n": float("nan"), "c": "x"}, "features: n: is not a finite number below 1e+15"),
        ({"n": True, "c": "x"}, "features: n: is not a number"),
        ({"n": "1", "c": "x"}, "features: n: is not a number"),
        ({"n": 1, "c": 1}, "features: c: is not a string"),
        ({"n": 1}, "features: did not return exactly the names in FEATURES"),
        (None, "features: did not return exactly the names in FEATURES"),
    ],
)
def test_features_are_checked(values: dict | None, reason: str | None) -> None:
    computed, found = compute_row(lambda record: values, {"n": "number", "c": "category"}, {})
    assert found == reason
    assert computed == ({} if reason else values)


def test_a_failing_feature_function_gives_its_message() -> None:
    computed, reason = compute_row(lambda record: record["gone"], {"n": "number"}, {})
    assert computed == {} and reason == "features: KeyError: 'gone'"
