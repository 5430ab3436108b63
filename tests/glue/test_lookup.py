"""Rows that are looked up are the rows that Spark joins: on random histories of versions, with ties and deletions."""

from __future__ import annotations

import json
import random
from datetime import date, timedelta
from typing import Any

import pytest

from include.glue.lookup import make_lookup, microseconds, versions_by_key
from include.glue.records import ParsedTableRow
from include.workloads.tables import JoinSpec, TableSpec
from tests.support.raw_objects import utc

pytestmark = pytest.mark.spark
TIME = "timestamp_ntz"
JOIN = JoinSpec.model_validate({"table": "t", "on": {"item": "item"}, "lead": "PT1H", "fields": ["name", "size"]})
FIELDS = {
    "item": {"type": "string", "nullable": True},
    "since": {"type": "timestamp"},
    "updated_at": {"type": "timestamp"},
    "name": {"type": "string", "nullable": True},
    "size": {"type": "number", "nullable": True},
    "gone": {"type": "boolean", "nullable": True},
}


def _versions(draw: random.Random) -> list[ParsedTableRow]:
    """Few instants, so that many are equal; some are read again."""
    rows = []
    for _ in range(1500):
        since, known, written, arrived = (utc(2013, 3, 1) + timedelta(hours=6 * draw.randrange(30)) for _ in range(4))
        payload = {
            "item": draw.choice([*"abcdefghijklmnopqrstuvwxyzé", None]),
            "since": str(since),
            "name": draw.choice([None, "x", "y", "ü", ""]),
            "size": draw.choice([None, -1.5, 0.0, 1e10]),
            "gone": draw.choice([None, False, False, True]),
        }
        text, again = json.dumps(payload, sort_keys=True), known + timedelta(hours=6)
        rows.append(ParsedTableRow(since, known, written, arrived, text, None, None))
        if draw.random() < 0.3:
            rows.append(ParsedTableRow(since, again, written, utc(2013, 3, 1), text, None, None))
    return rows


@pytest.mark.parametrize("initial_load", [None, "2013-03-04"])
@pytest.mark.parametrize("deleted", [None, "gone"])
def test_a_lookup_finds_what_the_join_joins(spark: Any, initial_load: str | None, deleted: str | None) -> None:
    from include.glue.joining import join_as_of, table_versions

    table = TableSpec.model_validate(
        {"key": ["item"], "valid_from": "since", "watermark": "updated_at", "schema": FIELDS}
        | {"initial_load": initial_load and date.fromisoformat(initial_load), "deleted": deleted}
    )
    rows = _versions(random.Random(7))
    lookup = make_lookup(versions_by_key(rows, table), table, JOIN)
    draw = random.Random(8)
    events = [
        (utc(2013, 2, 28) + timedelta(minutes=30 * draw.randrange(500)), draw.choice(["a", "b", "é", "q", "-", None]))
        for _ in range(2000)
    ]
    times = ", ".join(f"{name} {TIME}" for name in ("valid_from", "known_at", "version_time", "arrived_at"))
    frame = spark.createDataFrame(rows, f"{times}, payload string, reason string, line string")
    joined = join_as_of(
        spark.createDataFrame(events, f"event_time {TIME}, item string"), table_versions(frame, table), JOIN
    )
    expected = sorted(
        ((row["event_time"], row["item"] or "", row["name"], row["size"]) for row in joined.collect()), key=repr
    )
    found = [(at, item or "", *lookup.values({"item": item}, microseconds(at))) for at, item in events]
    assert sorted(found, key=repr) == expected
    assert len({values[2:] for values in found}) > 10
