"""JSON for what PostgreSQL prints: nothing raises, no digit is lost."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightjar.tables.values import NO_NUMBER, NO_TEXT, NO_TIME, ColumnType, json_text


def column(name: str, kind: str, category: str = "U") -> ColumnType:
    return ColumnType(name, category, -1, kind)


@pytest.mark.parametrize(
    ("text", "found", "expected"),
    [
        (None, column("text", "string"), "null"),
        ("é\n", column("text", "string"), r'"\u00e9\n"'),
        ("true", column("bool", "boolean"), "true"),
        ("true", column("bool", "string"), '"true"'),
        ("3", column("int4", "integer", "N"), "3"),
        ("39.020", column("numeric", "number", "N"), "39.020"),
        ("39.020", column("numeric", "string", "N"), '"39.020"'),
        ("0.12345678901234567890", column("numeric", "number", "N"), "0.12345678901234567890"),
        ("1e+400", column("numeric", "number", "N"), "1e+400"),
        ("2013-03-01 10:00:00.5+00", column("timestamptz", "timestamp"), '"2013-03-01T10:00:00.500000Z"'),
        ("2013-03-01 10:00:00+00", column("timestamptz", "string"), '"2013-03-01T10:00:00.000000Z"'),
        ("0999-03-01 00:00:00+00", column("date", "timestamp"), '"0999-03-01T00:00:00.000000Z"'),
        ("2013-03-01", column("date", "string"), '"2013-03-01"'),
        ("24:00:00", column("time", "string"), '"24:00:00"'),
        ('{"a":\n 1.00000000000000000001}', column("jsonb", "number"), '{"a":  1.00000000000000000001}'),
        ('{"a": 1}', column("jsonb", "string"), r'"{\"a\": 1}"'),
        ("[1,null]", column("_int4", "string", "A"), '"[1,null]"'),
        (b"a", column("text", "string"), '"a"'),
    ],
)
def test_values_are_json(text: str | bytes | None, found: ColumnType, expected: str) -> None:
    assert json_text(text, found) == (expected, None)


@pytest.mark.parametrize(
    ("text", "found", "problem"),
    [
        ("infinity", column("timestamptz", "timestamp"), NO_TIME),
        ("0044-03-15 00:00:00+00 BC", column("timestamptz", "timestamp"), NO_TIME),
        ("12345-01-01 00:00:00+00", column("timestamp", "timestamp"), NO_TIME),
        ("NaN", column("numeric", "number", "N"), NO_NUMBER),
        ("-Infinity", column("float8", "number", "N"), NO_NUMBER),
        ("$1,000.00", column("money", "number", "N"), NO_NUMBER),
        (b"\xe9", column("text", "string"), NO_TEXT),
    ],
)
def test_a_value_without_a_json_form_is_kept_as_printed(text: str | bytes, found: ColumnType, problem: str) -> None:
    kept, found_problem = json_text(text, found)
    assert found_problem == problem
    assert json.loads(kept) == (text if isinstance(text, str) else r"\xe9")


@given(st.floats(), st.sampled_from(["float8", "numeric"]))
def test_every_finite_number_is_itself(value: float, name: str) -> None:
    text, problem = json_text(repr(value), column(name, "number", "N"))
    if math.isfinite(value):
        assert problem is None and json.loads(text) == value
    else:
        assert problem == NO_NUMBER


@given(st.text(), st.sampled_from(["text", "timestamptz", "numeric", "date"]), st.sampled_from(["string", "timestamp"]))
def test_no_text_raises(text: str, name: str, kind: str) -> None:
    json.loads(json_text(text, column(name, kind, "N" if name == "numeric" else "U"))[0])
