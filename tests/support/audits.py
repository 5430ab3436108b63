"""Audits of staged rows that a test describes."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.glue.storage import read_json
from include.workloads import Workload
from include.workloads.schema import processed_columns
from tests.support.raw_objects import utc
from tests.support.tiny_workload import tiny_workload

if TYPE_CHECKING:
    from include.glue.audit import AuditedDay

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
        price: float | None = 10.0,
        repeat: int = 0,
        report: dict[str, Any] | None = None,
        without: str | None = None,
        text: str = "a",
        joined: str | None = "m",
        reasons: dict[str, int] | None = None,
        tables: dict[str, Any] | None = None,
        recent: dict[str, str] | None = None,
    ) -> AuditedDay:
        workload = workload or tiny_workload(tmp_path / "workloads")
        at = utc(2013, 3, 1, 12)
        for event_type, size in (("offered", rows), ("rated", 5)):
            columns = [(name, kind) for name, kind in processed_columns(workload, event_type) if name != without]
            schema = pa.schema([(name, TYPES[kind]) for name, kind in columns])
            records = []
            for i in range(size):
                key = "k0" if i < repeat else f"k{i}"
                record = {"key": key, "item": None if i < nulls else text, "price": price, "stars": 5}
                record |= {"maker_name": joined}
                records.append({name: record.get(name, at if kind == "timestamp" else None) for name, kind in columns})
            target = tmp_path / "staging" / event_type / f"event_date={DAY}" / "part-0.parquet"
            target.parent.mkdir(parents=True)
            pq.write_table(pa.Table.from_pylist(records, schema), target)
        good = {"read": rows, "duplicates": 0, "quarantined": 0, "written": rows, **(counts or {})}
        days = {
            DAY.isoformat(): {"offered": good, "rated": {"read": 5, "duplicates": 0, "quarantined": 0, "written": 5}}
        }
        tables = {"makers": {"read": 4, "quarantined": 0}} if tables is None else tables
        document = (
            {"days": days, "tables": tables, "reasons": {str(DAY): {"offered": reasons or {}}}}
            if report is None
            else report
        )
        (tmp_path / "staging/report.json").write_text(json.dumps(document))
        (tmp_path / "recent.json").write_text(json.dumps({"workload": workload.name, "days": recent or {}}))
        staging, docs = f"file://{tmp_path}/staging/", f"file://{tmp_path}/docs/"
        result = audit(workload, [DAY], staging, docs, f"file://{tmp_path}/recent.json")
        assert read_json(f"file://{tmp_path}/staging/audit.json") == result
        return result["days"][DAY.isoformat()]

    return run
