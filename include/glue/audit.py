"""Glue job: what Great Expectations finds in staged rows, day by day, as audit.json and Data Docs. See docs/architecture.md,
"Glue jobs".

It succeeds when it could audit; the gate decides. Whatever cannot be evaluated counts as a critical failure. A day is held in
memory as one pandas frame (some gigabytes at ten million rows), which takes a tenth of the time Spark would for the same rules.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from datetime import date
from io import BytesIO
from typing import Any

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from include.glue.docs import write_docs
from include.glue.expectations import Auditor, Finding
from include.glue.storage import list_uris, read_bytes, read_json, under, write_json
from include.lake.days import parse_days
from include.workloads import Workload, load
from include.workloads.schema import PARTITION_COLUMN


def main(arguments: Sequence[str] | None = None) -> None:
    """Parses Glue's arguments (unknown ones are Glue's own) and runs the job."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("workload", "days", "staging", "docs"):
        parser.add_argument(f"--{name}", required=True)
    options, _ = parser.parse_known_args(arguments)
    audit(load(options.workload), parse_days(options.days), options.staging, options.docs)


def audit(workload: Workload, days: Sequence[date], staging: str, docs: str) -> dict[str, Any]:
    """Writes audit.json under ``staging`` and the Data Docs under ``docs``; returns audit.json's content."""
    report = read_json(under(staging, "report.json"))
    auditor = Auditor(workload)
    results = {day.isoformat(): audit_day(auditor, workload, day, staging, report) for day in days}
    document = {"days": results, "docs": write_docs(auditor.context, docs)}
    write_json(under(staging, "audit.json"), document)
    return document


def audit_day(auditor: Auditor, workload: Workload, day: date, staging: str, report: dict[str, Any]) -> dict[str, Any]:
    """What was found on one day, over all event types."""
    findings: list[Finding] = []
    statistics = {}
    counts_of_day = report["days"].get(day.isoformat(), {})
    for event_type in workload.events:
        frame = read_day(under(staging, event_type, f"{PARTITION_COLUMN[0]}={day}"))
        counts = counts_of_day.get(event_type)
        found = auditor.audit(event_type, day, frame, counts)
        findings += found
        statistics[event_type] = {**(counts or {}), "rows": len(frame), "failed": len(found)}
    unknown = {name: counts["read"] for name, counts in counts_of_day.items() if name not in workload.events}
    findings += [
        Finding("warning", f"{name}: {read} events of a type this workload does not have")
        for name, read in unknown.items()
    ]
    critical = [finding.text for finding in findings if finding.severity == "critical"]
    return {
        "success": not critical,
        "critical_failures": critical,
        "warnings": [finding.text for finding in findings if finding.severity != "critical"],
        "statistics": statistics,
    }


def read_day(prefix: str) -> pd.DataFrame:
    """All rows of one partition; an empty frame without columns when there is no file."""
    tables = [pq.read_table(BytesIO(read_bytes(uri))) for uri in list_uris(prefix, ".parquet")]
    return pa.concat_tables(tables).to_pandas() if tables else pd.DataFrame()


if __name__ == "__main__":
    main()
