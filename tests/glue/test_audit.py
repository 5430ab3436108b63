"""Findings on staged rows, with the real Great Expectations over file:// URIs."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.glue.errors import GlueJobError
from include.glue.storage import read_json
from include.workloads import Workload, load
from include.workloads.schema import processed_columns
from tests.support.raw_objects import utc
from tests.support.tiny_workload import EXPECTATIONS, document, tiny_workload, write_workload

if TYPE_CHECKING:
    from include.glue.audit import AuditedDay

# Great Expectations takes seconds to import.
pytestmark = pytest.mark.stack
DAY = date(2013, 3, 1)
TYPES = {
    "string": pa.string(),
    "double": pa.float64(),
    "bigint": pa.int64(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us"),
}


Audit = Callable[..., "AuditedDay"]


@pytest.fixture
def staged(tmp_path: Path) -> Audit:
    """A function that writes a good day with changes, audits it and returns the day's part of audit.json."""
    from include.glue.audit import audit

    def run(
        rows: int = 20,
        nulls: int = 0,
        workload: Workload | None = None,
        counts: dict[str, Any] | None = None,
        price: float = 10.0,
        repeat: bool = False,
        report: dict[str, Any] | None = None,
        without: str | None = None,
    ) -> AuditedDay:
        workload = workload or tiny_workload(tmp_path / "workloads")
        at = utc(2013, 3, 1, 12)
        for event_type, size in (("offered", rows), ("rated", 5)):
            columns = [(name, kind) for name, kind in processed_columns(workload, event_type) if name != without]
            schema = pa.schema([(name, TYPES[kind]) for name, kind in columns])
            records = []
            for i in range(size):
                key = "k0" if repeat else f"k{i}"
                record = {"key": key, "item": None if i < nulls else "a", "price": price, "stars": 5}
                records.append({name: record.get(name, at if kind == "timestamp" else None) for name, kind in columns})
            target = tmp_path / "staging" / event_type / f"event_date={DAY}" / "part-0.parquet"
            target.parent.mkdir(parents=True)
            pq.write_table(pa.Table.from_pylist(records, schema), target)
        good = {"read": rows, "duplicates": 0, "quarantined": 0, "written": rows, **(counts or {})}
        days = {
            DAY.isoformat(): {"offered": good, "rated": {"read": 5, "duplicates": 0, "quarantined": 0, "written": 5}}
        }
        text = json.dumps({"days": days, "tables": {}, "reasons": {}} if report is None else report)
        (tmp_path / "staging/report.json").write_text(text)
        result = audit(workload, [DAY], f"file://{tmp_path}/staging/", f"file://{tmp_path}/docs/")
        assert read_json(f"file://{tmp_path}/staging/audit.json") == result
        return result["days"][DAY.isoformat()]

    return run


def test_a_good_day_passes_and_has_data_docs(staged: Audit, tmp_path: Path) -> None:
    day = staged()
    assert day["success"] and day["critical_failures"] == day["warnings"] == []
    assert day["statistics"]["offered"]["rows"] == 20
    pages = {path.name for path in (tmp_path / "docs").rglob("*.html")}
    assert "index.html" in pages and len(pages) >= 3


def test_twenty_per_cent_nulls_fail(staged: Audit) -> None:
    day = staged(nulls=4)
    assert not day["success"]
    assert day["critical_failures"] == [
        "offered: expect_column_values_to_not_be_null(item): 20.0 % unexpected, allowed are 5.0 %",
    ]


def test_five_per_cent_nulls_do_not(staged: Audit) -> None:
    assert staged(nulls=1)["success"]


def test_a_warning_does_not_fail(staged: Audit) -> None:
    day = staged(price=500.0)
    assert day["success"]
    (warning,) = day["warnings"]
    assert warning.startswith("offered: expect_column_mean_to_be_between(price): observed 500.0")


def test_no_rows_fail(staged: Audit) -> None:
    day = staged(rows=0)
    assert day["critical_failures"] == ["offered: no rows"]


def test_too_many_rows_fail(staged: Audit) -> None:
    assert staged(rows=1001)["critical_failures"] == ["offered: 1001 rows, expected 1 to 1000"]


def test_too_many_quarantined_rows_fail(staged: Audit) -> None:
    day = staged(counts={"read": 30, "quarantined": 10})
    assert day["critical_failures"] == ["offered: 10 of 30 rows quarantined (33.3%), allowed are 25.0%"]


def test_repeated_keys_fail(staged: Audit) -> None:
    assert (
        "offered: 19 rows have the same key, known_at, recorded_at as another row"
        in staged(repeat=True)["critical_failures"]
    )


def test_rows_that_the_report_does_not_know_fail(staged: Audit) -> None:
    assert staged(counts={"written": 19})["critical_failures"] == [
        "offered: 20 rows were found, but the transform's report has 19"
    ]


def test_a_day_that_the_report_does_not_know_fails(staged: Audit) -> None:
    day = staged(report={"days": {}, "tables": {}, "reasons": {}})
    assert "offered: the transform's report does not have this day" in day["critical_failures"]


def test_an_expectation_that_cannot_be_evaluated_is_critical_whatever_its_severity(staged: Audit) -> None:
    day = staged(without="price")
    (failure,) = day["critical_failures"]
    assert failure.startswith("offered: expect_column_mean_to_be_between(price): could not be evaluated")


def test_an_expectation_that_does_not_exist_stops_the_audit(staged: Audit, tmp_path: Path) -> None:
    broken = {"type": "expect_column_to_be_nice", "column": "item", "severity": "warning"}
    suites = {**EXPECTATIONS, "offered": {**EXPECTATIONS["offered"], "expectations": [broken]}}
    write_workload(tmp_path / "broken", workload=document(), expectations=suites)
    with pytest.raises(GlueJobError, match="cannot make expect_column_to_be_nice"):
        staged(workload=load("shop", tmp_path / "broken"))


def test_the_expectations_of_every_workload_exist() -> None:
    from include.glue.expectations import gx_suite
    from include.workloads import discover

    for workload in discover()[0]:
        for event_type, suite in workload.suites.items():
            assert len(gx_suite(event_type, suite).expectations) == len(suite.expectations)
