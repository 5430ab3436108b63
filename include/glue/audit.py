"""Glue job: staged rows of some days → audit.json and Data Docs (docs/contracts.md, "Glue jobs").

Great Expectations audits one day of one event type at a time. The job succeeds if it could audit; the gate decides. An
expectation that cannot be evaluated is a critical failure. A day is one pandas frame in memory (some gigabytes at ten
million rows): a tenth of the time that Spark needs for the same rules.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from datetime import date
from io import BytesIO
from typing import TYPE_CHECKING, NotRequired, TypedDict

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from include.glue.docs import write_docs
from include.glue.expectations import Auditor, Finding
from include.glue.storage import join_uri, list_uris, read_bytes, read_json, write_json
from include.lake.days import parse_days
from include.lake.layout import AUDIT_FILE, REPORT_FILE
from include.workloads import Workload, load
from include.workloads.schema import PARTITION_COLUMN

if TYPE_CHECKING:
    from include.glue.report import ReportDocument


class EventStatistics(TypedDict):
    """Rows that were found and expectations that were not met; also the report's counts, if it has the day."""

    rows: int
    failed: int
    read: NotRequired[int]
    duplicates: NotRequired[int]
    quarantined: NotRequired[int]
    written: NotRequired[int]


class AuditedDay(TypedDict):
    """What the audit found on one day. ``success``: there is no critical failure."""

    success: bool
    critical_failures: list[str]
    warnings: list[str]
    statistics: dict[str, EventStatistics]


class AuditDocument(TypedDict):
    """``audit.json``: the findings of each day, and the URI of the Data Docs' first page."""

    days: dict[str, AuditedDay]
    docs: str


def main(arguments: Sequence[str] | None = None) -> None:
    """Parses the job's arguments, ignores Glue's own, and runs the job."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("workload", "days", "staging", "docs"):
        parser.add_argument(f"--{name}", required=True)
    options, _ = parser.parse_known_args(arguments)
    audit(load(options.workload), parse_days(options.days), options.staging, options.docs)


def audit(workload: Workload, days: Sequence[date], staging: str, docs: str) -> AuditDocument:
    """Writes audit.json to the staging prefix, and the Data Docs.

    Args:
        workload: The workload.
        days: The days to audit.
        staging: URI of the transform run's staging prefix.
        docs: URI of the prefix of the Data Docs.

    Returns:
        The content of audit.json.
    """
    report: ReportDocument = read_json(join_uri(staging, REPORT_FILE))
    auditor = Auditor(workload)
    results = {day.isoformat(): audit_day(auditor, workload, day, staging, report) for day in days}
    document: AuditDocument = {"days": results, "docs": write_docs(auditor.context, docs)}
    write_json(join_uri(staging, AUDIT_FILE), document)
    return document


def audit_day(auditor: Auditor, workload: Workload, day: date, staging: str, report: ReportDocument) -> AuditedDay:
    """Audits all event types of one day."""
    findings: list[Finding] = []
    statistics: dict[str, EventStatistics] = {}
    counts_of_day = report["days"].get(day.isoformat(), {})
    for event_type in workload.events:
        frame = read_day(join_uri(staging, event_type, f"{PARTITION_COLUMN[0]}={day}"))
        counts = counts_of_day.get(event_type)
        reasons = report["reasons"].get(day.isoformat(), {}).get(event_type, {})
        found = auditor.audit(event_type, day, frame, counts, reasons)
        findings += found
        statistics[event_type] = {"rows": len(frame), "failed": len(found)}
        if counts is not None:
            statistics[event_type] |= {**counts}
    unknown = {name: counts["read"] for name, counts in counts_of_day.items() if name not in workload.events}
    findings += [
        Finding("warning", f"{name}: {read} events of a type that this workload does not have")
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
    """Reads all rows of one partition; without files, the frame has neither rows nor columns."""
    tables = [pq.read_table(BytesIO(read_bytes(uri))) for uri in list_uris(prefix, ".parquet")]
    return pa.concat_tables(tables).to_pandas() if tables else pd.DataFrame()


if __name__ == "__main__":
    main()
