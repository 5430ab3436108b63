"""A range of days is audited together, and each day's findings are those that it has alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.glue.storage import write_json
from include.workloads import load
from include.workloads.schema import processed_columns
from tests.support.audits import TYPES
from tests.support.raw_objects import utc
from tests.support.tiny_workload import EXPECTATIONS, document, write_workload

# Great Expectations takes seconds to import.
pytestmark = pytest.mark.stack

RULES: list[dict[str, Any]] = [
    {"type": "expect_column_values_to_not_be_null", "column": "item", "mostly": 0.9},
    {"type": "expect_column_values_to_match_regex", "column": "item", "regex": "^[a-z]$", "mostly": 0.9},
    {"type": "expect_column_values_to_match_regex", "column": "stock", "regex": "^\\d+$"},
    {"type": "expect_column_value_lengths_to_be_between", "column": "item", "max_value": 2},
    {"type": "expect_column_values_to_be_in_set", "column": "stock", "value_set": [0, 1, 2], "mostly": 0.5},
    {"type": "expect_column_values_to_be_between", "column": "price", "min_value": 1, "max_value": 15},
    {
        "type": "expect_column_values_to_be_between",
        "column": "price",
        "max_value": 1,
        "row_condition": 'item=="b"',
        "condition_parser": "pandas",
    },
    {"type": "expect_column_pair_values_a_to_be_greater_than_b", "column_A": "price", "column_B": "stock"},
    {"type": "expect_column_values_to_be_unique", "column": "key"},
    {"type": "expect_column_mean_to_be_between", "column": "price", "min_value": 5, "max_value": 12},
    {"type": "expect_column_distinct_values_to_be_in_set", "column": "item", "value_set": ["a", "b"]},
    {"type": "expect_compound_columns_to_be_unique", "column_list": ["key", "item"]},
    {"type": "expect_table_row_count_to_be_between", "max_value": 40},
]
CHANGES: dict[str, Callable[[int], dict[str, Any]]] = {
    "2013-03-01": lambda number: {},
    "2013-03-02": lambda number: {"item": None if number < 3 else "a"},
    "2013-03-03": lambda number: {"price": 10.0 if number else 100.0, "stock": None if number < 2 else number},
    "2013-03-04": lambda number: {"item": "bbb" if number < 9 else "b", "price": float("nan") if number < 5 else 3.0},
    "2013-03-05": lambda number: {"key": f"k{number // 2}"},
}


@pytest.fixture
def range_of_days(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """A function that audits some of the days of CHANGES, of which one lacks a column, together."""
    from include.glue.audit import audit

    rules = [{**rule, "severity": "critical"} for rule in RULES]
    suites = {**EXPECTATIONS, "offered": {**EXPECTATIONS["offered"], "expectations": rules}}
    write_workload(tmp_path / "workloads", workload=document(), expectations=suites)
    workload = load("shop", tmp_path / "workloads")
    kinds = {event_type: dict(processed_columns(workload, event_type)) for event_type in workload.events}
    for day, change in CHANGES.items():
        at = utc(2013, 3, 1, 12)
        for event_type in workload.events:
            schema = pa.schema([(name, TYPES[kind]) for name, kind in kinds[event_type].items()])
            usual = {"item": "a", "price": 10.0, "stars": 5, "stock": 1, "maker_name": "m"}
            records = [{**usual, "key": f"k{number}", **change(number)} for number in range(20)]
            times = {name: at for name, kind in kinds[event_type].items() if kind == "timestamp"}
            rows = pa.Table.from_pylist([{**times, **record} for record in records], schema)
            if day == "2013-03-05" and event_type == "offered":
                rows = rows.drop_columns(["stock"])
            target = tmp_path / f"staging/{event_type}/event_date={day}/part-0.parquet"
            target.parent.mkdir(parents=True)
            pq.write_table(rows, target)
    counts = {"read": 20, "duplicates": 0, "quarantined": 0, "written": 20}
    report = {day: dict.fromkeys(workload.events, counts) for day in CHANGES}
    write_json(f"file://{tmp_path}/staging/report.json", {"days": report, "tables": {}, "reasons": {}})
    write_json(f"file://{tmp_path}/recent.json", {"workload": "shop", "days": {}})

    def run(*days: str) -> dict[str, Any]:
        wanted = [date.fromisoformat(day) for day in days]
        places = (f"file://{tmp_path}/staging/", f"file://{tmp_path}/docs/", f"file://{tmp_path}/recent.json")
        return {**audit(workload, wanted, *places)["days"]}

    return run


def test_a_day_of_a_range_has_the_verdict_that_it_has_alone(range_of_days: Callable[..., dict[str, Any]]) -> None:
    together = range_of_days(*CHANGES)
    assert together == {day: range_of_days(day)[day] for day in CHANGES}
    rules = {
        day: {one["name"].removeprefix("offered.") for one in found["findings"] if ".expect_" in one["name"]}
        for day, found in together.items()
    }
    assert rules["2013-03-01"] == set()
    assert rules["2013-03-02"] == {"expect_column_values_to_not_be_null(item)"}
    assert rules["2013-03-03"] == {
        "expect_column_values_to_match_regex(stock)",
        "expect_column_values_to_be_in_set(stock)",
        "expect_column_values_to_be_between(price)",
        "expect_column_mean_to_be_between(price)",
        "expect_column_pair_values_a_to_be_greater_than_b(price, stock)",
    }
    assert "expect_column_value_lengths_to_be_between(item)" in rules["2013-03-04"]
    assert "expect_column_values_to_be_unique(key)" in rules["2013-03-05"]
    without = {text for text in together["2013-03-05"]["critical_failures"] if "could not be evaluated" in text}
    assert len(without) == 3 and all('"stock"' in text for text in without), "the column that this day lacks"


def test_a_large_day_is_read_in_parts_and_found_to_be_the_same(
    range_of_days: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def statistics() -> list[str]:
        return [(tmp_path / f"staging/statistics/event_date={day}.json").read_text() for day in CHANGES]

    whole, of_whole = range_of_days(*CHANGES), statistics()
    monkeypatch.setattr("include.glue.day_rows.CHUNK_ROWS", 7)
    monkeypatch.setattr("include.glue.validated_days.CHUNK_ROWS", 7)
    assert range_of_days(*CHANGES) == whole
    assert statistics() == of_whole


def test_every_day_of_a_range_has_a_page_with_its_results(
    range_of_days: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    range_of_days(*CHANGES)
    for day in CHANGES:
        text = (tmp_path / f"docs/days/{day}.html").read_text()
        assert text.count("<td>expect_column_mean_to_be_between(price)</td>") == 1
    text = (tmp_path / "docs/days/2013-03-02.html").read_text()
    assert "<td>expect_column_values_to_not_be_null(item)</td><td>no</td><td>15.0 % unexpected" in text
    ours = [path.parts for path in (tmp_path / "docs/great_expectations/validations").rglob("*.html")]
    assert {day for day in CHANGES if any(day in parts for parts in ours)} == set(CHANGES)
