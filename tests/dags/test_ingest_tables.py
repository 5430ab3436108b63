"""The tables' ingest DAG: one task that reads every table of the workload."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from include.workloads import load as load_workload
from tests.support.dag_files import load, platform_settings, rendered


@pytest.fixture(scope="module")
def dag() -> Any:
    module = load("ingest_tables")
    with platform_settings():
        return module.ingest_tables(load_workload("flights"))


def test_one_task_reads_all_tables_in_one_snapshot(dag: Any) -> None:
    workload = load_workload("flights")
    (task,) = dag.tasks
    assert task.secret == workload.database.secret
    assert set(task.tables) == set(workload.tables)
    for name, table in workload.tables.items():
        columns = task.tables[name]["columns"]
        assert {*table.key, table.valid_from, table.watermark} <= set(columns)
        assert task.tables[name]["watermark"] == table.watermark
    assert (
        task.raw_key("weather", date(2013, 3, 1), "20130301", 7)
        == "raw/flights/weather/ingest_date=2013-03-01/20130301-00007.jsonl.gz"
    )
    assert dag.max_active_runs == 1


def test_the_overlap_is_a_param(dag: Any) -> None:
    assert int(rendered(dag, "postgres_to_s3", params={"overlap_seconds": 60}).overlap_seconds) == 60
