"""The bin of a value."""

from __future__ import annotations

from typing import Any

import pytest

from include.model.baseline import Column, bin_of

NUMBER: Column = {"kind": "number", "counts": {}, "edges": [1.0, 2.0], "low": -5.0, "high": 9.0}
CATEGORY: Column = {"kind": "category", "counts": {}, "values": ["b", "a"], "known": ["a", "b", "c"]}


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "missing"), (float("nan"), "missing"), (-5.1, "below"), (-5.0, "0"), (0.99, "0"), (1, "1"), (2.0, "2"),
        (9.0, "2"), (9.1, "above"),
    ],
)  # fmt: skip
def test_a_number(value: Any, name: str) -> None:
    assert bin_of(NUMBER, value) == name


@pytest.mark.parametrize(
    ("value", "name"), [(None, "missing"), ("b", "0"), ("a", "1"), ("c", "other"), ("d", "unknown")]
)
def test_a_category(value: Any, name: str) -> None:
    assert bin_of(CATEGORY, value) == name


def test_a_text_is_there_or_missing_and_a_flag_is_written_as_sql_writes_it() -> None:
    text: Column = {"kind": "text", "counts": {}}
    assert [bin_of(text, value) for value in ("anything", None)] == ["present", "missing"]
    assert bin_of({"kind": "category", "counts": {}, "values": ["true"], "known": ["true"]}, True) == "0"
