"""Files of days from sorted events, in this process."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from include.glue.days import DayMaker, DayPlan, sorted_events
from include.glue.lookup import make_lookup
from include.glue.reading import EVENT_SCHEMA, EventParser
from tests.support.raw_objects import line, offered
from tests.support.tiny_workload import tiny_workload

DAY = date(2013, 3, 1)
NOON = "2013-03-01T12:00:00Z"


@pytest.mark.parametrize("batch_rows", [1, 2, 3, 100])
def test_duplicates_are_found_wherever_a_batch_ends(batch_rows: int, tmp_path: Path) -> None:
    workload = tiny_workload(tmp_path / "workloads")
    lines = [line(offered(key, NOON, price=price)) for key in ("a", "b") for price in (1, 1, 2, 1, 2)]
    content = {"object": _compressed([*lines, line(offered("c", NOON)), line(offered("d", NOON))])}
    schemas = {name: event.fields for name, event in workload.events.items()}
    parser = EventParser(schemas, workload.clock, frozenset({str(DAY)}), None)
    events = sorted_events(parser.batches(content, content.__getitem__), EVENT_SCHEMA)
    parts = [batch.slice(at, batch_rows) for batch in events for at in range(0, batch.num_rows, batch_rows)]
    plan = DayPlan.of(workload, f"file://{tmp_path}/staging", f"file://{tmp_path}/quarantine")
    lookups = [make_lookup({}, workload.tables[join.table], join) for join in workload.joins]
    (counts,) = [row for batch in DayMaker(plan, lookups).make(parts) for row in batch.to_pylist()]
    assert (counts["rows"], counts["duplicates"], counts["reason"]) == (12, 6, None)
    rows = pq.ParquetFile(next((tmp_path / "staging").rglob("*.parquet"))).read(["key", "price"]).to_pylist()
    expected = [("a", 1), ("a", 2), ("b", 1), ("b", 2), ("c", 10), ("d", 10)]
    assert [(row["key"], row["price"]) for row in rows] == expected


def _compressed(lines: list[str]) -> bytes:
    return gzip.compress("\n".join(lines).encode())
