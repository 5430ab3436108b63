"""Joins of reference rows that were deleted: nothing of them is joined from when the deletion is known."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from include.workloads.tables import JoinSpec, TableSpec
from tests.support.raw_objects import utc

pytestmark = pytest.mark.spark
FIELDS = {
    "item": {"type": "string"},
    "since": {"type": "timestamp"},
    "updated_at": {"type": "timestamp"},
    "name": {"type": "string"},
    "gone": {"type": "boolean", "nullable": True},
    "gone_at": {"type": "timestamp", "nullable": True},
}
JOIN = JoinSpec(table="makers", on={"item": "item"}, fields=("name",))


def at(day: int, hour: int = 0) -> datetime:
    return utc(2013, 3, day, hour)


def version(name: str, since: int, known: int, **marks: Any) -> tuple[Any, ...]:
    """A version of a row, as it is read: valid since a day of March, known from a day on."""
    values = {
        "item": "a",
        "since": f"2013-03-{since:02d}T00:00:00.000000Z",
        "name": name,
        "gone": None,
        "gone_at": None,
    }
    return (
        at(since),
        at(known),
        at(known),
        at(known),
        json.dumps({**values, "updated_at": values["since"], **marks}),
        None,
    )


def joined(spark: Any, column: str | None, *versions: tuple[Any, ...]) -> list[str | None]:
    """The joined name at noon of the days 1 to 8."""
    from include.glue.joining import join_as_of, table_versions

    table = TableSpec.model_validate(
        {"key": ["item"], "valid_from": "since", "watermark": "updated_at", "schema": FIELDS, "deleted": column}
    )
    times = ", ".join(f"{name} timestamp_ntz" for name in ("valid_from", "known_at", "version_time", "arrived_at"))
    rows = spark.createDataFrame(list(versions), f"{times}, payload string, reason string")
    events = [(at(day, 12), "a") for day in range(1, 9)]
    frame = spark.createDataFrame(events, "event_time timestamp_ntz, item string")
    found = join_as_of(frame, table_versions(rows, table), JOIN).orderBy("event_time").collect()
    return [row["name"] for row in found]


def test_a_deletion_counts_from_when_it_is_known(spark: Any) -> None:
    first, gone = version("first", 1, 2), version("first", 1, 4, gone=True)
    restored, newer = version("restored", 1, 6, gone=False), version("newer", 8, 8)
    expected = [None, "first", "first", None, None, "restored", "restored", "newer"]
    assert joined(spark, "gone", first, gone, restored, newer) == expected
    assert joined(spark, None, first, gone)[-1] == "first", "without a declaration, the mark is a value like any other"


def test_a_time_marks_a_deletion_too_and_hides_no_newer_row(spark: Any) -> None:
    first, second = version("first", 1, 1), version("second", 3, 3)
    gone = version("first", 1, 5, gone_at="2013-03-05T00:00:00.000000Z")
    assert joined(spark, "gone_at", first, second, gone) == ["first"] * 2 + ["second"] * 6
