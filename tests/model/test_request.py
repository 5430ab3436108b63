from __future__ import annotations

import pytest

from include.model.request import RequestSchema
from include.workloads import FieldSpec

SCHEMA = RequestSchema(
    {
        "text": FieldSpec(type="string"),
        "origin": FieldSpec(type="string", enum=("JFK", "LGA"), nullable=True),
        "size": FieldSpec(type="number", min=0, max=10, nullable=True),
        "when": FieldSpec(type="timestamp", nullable=True),
        "flag": FieldSpec(type="boolean", nullable=True),
    }
)


def test_a_record_is_cleaned_as_in_the_lake_and_every_field_is_there():
    checked = SCHEMA.check({"text": "  two   words ", "size": 3, "when": "2013-03-01T12:00:00+02:00"})
    assert checked.errors == [] and checked.warnings == []
    expected = {"text": "two words", "origin": None, "size": 3.0, "when": "2013-03-01T10:00:00.000000Z", "flag": None}
    assert checked.record == expected and type(checked.record["size"]) is float


@pytest.mark.parametrize(("name", "value"), [("origin", "BOS"), ("size", -0.1), ("size", 11)])
def test_a_value_out_of_range_is_kept_with_a_warning(name, value):
    checked = SCHEMA.check({"text": "a", name: value})
    assert checked.errors == [] and [warning.field for warning in checked.warnings] == [name]
    assert checked.record[name] == value


@pytest.mark.parametrize(
    ("record", "field", "message"),
    [
        ({}, "text", "is missing"),
        ({"text": None}, "text", "must not be null"),
        ({"text": 3}, "text", "is not a string"),
        ({"text": "\ud800"}, "text", "is not valid Unicode text"),
        ({"text": "a", "size": True}, "size", "is not a number"),
        ({"text": "a", "size": float("nan")}, "size", "is not a finite number"),
        ({"text": "a", "when": "2013-03-01T12:00:00"}, "when", "is not an ISO 8601 time with an offset"),
        ({"text": "a", "when": 3}, "when", "is not an ISO 8601 time with an offset"),
        ({"text": "a", "flag": 1}, "flag", "is not true or false"),
        ({"text": "a", "typo": 1}, "typo", "is not a field of this model"),
        ([], "", "must be an object with the fields text, origin, size, when, flag"),
    ],
)
def test_errors_name_the_field(record, field, message):
    assert SCHEMA.check(record).errors == [(field, message)]
