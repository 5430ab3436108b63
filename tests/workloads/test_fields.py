"""The check of one record against a schema."""

from __future__ import annotations

import pytest

from include.workloads import FieldSpec, check_record
from include.workloads.fields import normalize_text


@pytest.mark.parametrize(
    ("spec", "value", "clean"),
    [
        ({"type": "string"}, "  a \t b ", "a b"),
        ({"type": "string"}, "e\u0301", "\u00e9"),
        ({"type": "string", "normalize": False}, " a  b ", " a  b "),
        ({"type": "string", "enum": ["a"]}, " a ", "a"),
        ({"type": "string", "nullable": True}, None, None),
        ({"type": "integer"}, 7, 7),
        ({"type": "integer"}, 7.0, 7),
        ({"type": "number"}, 7, 7.0),
        ({"type": "number", "min": 0, "max": 1}, 0, 0.0),
        ({"type": "boolean"}, False, False),
        ({"type": "timestamp"}, "2013-03-01T05:15:00-05:00", "2013-03-01T10:15:00.000000Z"),
        ({"type": "timestamp"}, "2013-03-01T10:15:00.1239Z", "2013-03-01T10:15:00.123000Z"),
    ],
)
def test_a_good_value_comes_out_clean(spec: dict, value, clean) -> None:
    assert FieldSpec(**spec).check(value) == (clean, None)


@pytest.mark.parametrize(
    ("spec", "value", "problem"),
    [
        ({"type": "string"}, None, "is missing"),
        ({"type": "string"}, 7, "is not a string"),
        ({"type": "string"}, "\ud800", "is not valid Unicode text"),
        ({"type": "string", "enum": ["a"]}, "b", "is not one of the allowed values"),
        ({"type": "integer"}, True, "is not an integer"),
        ({"type": "integer"}, "7", "is not an integer"),
        ({"type": "integer"}, 7.5, "is not an integer"),
        ({"type": "integer"}, 10**30, "is larger than 1e+15"),
        ({"type": "number"}, True, "is not a number"),
        ({"type": "number"}, "12", "is not a number"),
        ({"type": "number"}, float("nan"), "is not a finite number"),
        ({"type": "number"}, float("-inf"), "is not a finite number"),
        ({"type": "number"}, 1e300, "is larger than 1e+15"),
        ({"type": "number", "min": 0}, -1, "is below the minimum 0"),
        ({"type": "number", "max": 1}, 2, "is above the maximum 1"),
        ({"type": "boolean"}, 1, "is not true or false"),
        ({"type": "timestamp"}, "2013-03-01T10:15:00", "is not an ISO 8601 time with an offset"),
        ({"type": "timestamp"}, 1362132900, "is not an ISO 8601 time with an offset"),
        ({"type": "timestamp"}, "0001-01-01T00:00:00+23:00", "is not an ISO 8601 time with an offset"),
    ],
)
def test_a_bad_value_is_named(spec: dict, value, problem: str) -> None:
    assert FieldSpec(**spec).check(value) == (None, problem)


def test_a_record_has_exactly_the_fields_of_its_schema() -> None:
    fields = {
        "a": FieldSpec(type="integer"),
        "b": FieldSpec(type="string", nullable=True),
        "c": FieldSpec(type="string"),
    }
    clean, problems = check_record(fields, {"a": "x", "z": 1})
    assert clean == {"a": None, "b": None, "c": None}
    assert problems == ["a: is not an integer", "c: is missing"]


def test_text_is_normalized_once_for_all() -> None:
    assert normalize_text(normalize_text(" a\u00a0\n b ")) == normalize_text(" a\u00a0\n b ") == "a b"


@pytest.mark.parametrize("enum", [None, (3, 5)])
@pytest.mark.parametrize("bounds", [{}, {"min": 3}, {"max": 5}, {"min": 0, "max": 5}])
@pytest.mark.parametrize("kind", ["integer", "number"])
def test_a_plain_number_is_checked_as_any_other(kind: str, bounds: dict[str, float], enum: tuple | None) -> None:
    spec = FieldSpec.model_validate({"type": kind, **bounds, "enum": enum})
    numbers = [0, -0.0, 3, 3.0, 2.999, 5, 5.001, -1e15, 1e15, 10**15, 10**15 - 1, 999_999_999_999_999.9, 10**400]
    for value in [*numbers, True, False, float("nan"), float("inf"), "3", None, [3]]:
        clean, problem = spec.check(value)
        found, problems = check_record({"a": spec}, {"a": value})
        assert (repr(found["a"]), problems) == (repr(clean), [f"a: {problem}"] if problem else []), value


def test_a_copy_is_checked_by_its_own_bounds() -> None:
    spec = FieldSpec(type="integer", max=5)
    assert check_record({"a": spec}, {"a": 7})[1] == ["a: is above the maximum 5"]
    assert check_record({"a": spec.model_copy(update={"max": None})}, {"a": 7}) == ({"a": 7}, [])
    assert check_record({"a": spec.model_copy(update={"max": 3})}, {"a": 4})[1] == ["a: is above the maximum 3"]
