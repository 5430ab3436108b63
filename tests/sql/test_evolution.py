"""A data set over days that were published before a column was declared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from include.pipelines.process.evolution import evolved_columns
from include.sql import dataset_select
from include.workloads.schema import processed_columns
from tests.support.nights import DAY, START
from tests.support.sql_engine import DUCKDB_TYPES, Engine
from tests.support.tiny_workload import tiny_workload

CHANGES: dict[str, Any] = {
    "events__offered__schema__size": {"type": "number", "nullable": True},
    "events__offered__schema__stock": ...,  # removed
}


def test_days_of_before_are_null_in_a_new_column_of_the_data_set(tmp_path: Path) -> None:
    before = tiny_workload(tmp_path / "before")
    engine = Engine(before)
    engine.insert("offered", [{
        "key": "k", "event_time": "2013-03-01 12:00:00", "recorded_at": "2013-03-01 12:00:00", "item": "a", "price": 1,
    }])  # fmt: skip
    engine.insert("rated", [{
        "key": "k", "event_time": "2013-03-01 13:00:00", "recorded_at": "2013-03-01 13:00:00", "stars": 5,
    }])  # fmt: skip
    now = tiny_workload(tmp_path, **CHANGES)
    published = dict(processed_columns(before, "offered"))
    for name, kind in evolved_columns(processed_columns(now, "offered"), list(published.items())):
        if name not in published:
            engine.connection.execute(f'alter table nightjar.shop_offered add column "{name}" {DUCKDB_TYPES[kind]}')
    (row,) = engine.query(dataset_select(now, "nightjar", START + DAY))
    assert row["size"] is None and row["price"] == 1 and "stock" not in row
