"""Glue job: staged rows of some days → audit.json, statistics and Data Docs (docs/contracts.md, "Glue jobs").

The job succeeds if it could audit; the gate decides. An expectation that cannot be evaluated is a critical failure.
Great Expectations validates the days of a range together, as many as fit into memory, and a large day in parts; each
day has a verdict of its own. Each day is compared with published days before it; the days of one audit are audited in
order, and a day that passed counts for those after it.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")

from include.glue.audit_document import AuditDocument, AuditedDay, EventStatistics, FoundDocument
from include.glue.comparing import compare_day
from include.glue.day_profile import profile_day
from include.glue.docs import Docs
from include.glue.expectations import audit_columns, audit_rows, gx_suite
from include.glue.findings import Finding
from include.glue.recent_days import Profiles, RecentDays
from include.glue.reference import audit_joins, audit_tables
from include.glue.storage import join_uri, read_json, write_json
from include.glue.validated_days import ValidatedDay, validated_days
from include.lake.days import parse_days
from include.lake.layout import AUDIT_FILE, REPORT_FILE, statistics_file
from include.lake.recent import RecentDocument
from include.workloads import Workload, load
from include.workloads.comparison import MINIMUM_DAYS

if TYPE_CHECKING:
    from include.glue.report import ReportDocument


def main(arguments: Sequence[str] | None = None) -> None:
    """Parses the job's arguments, ignores Glue's own, and runs the job."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("workload", "days", "staging", "docs", "recent"):
        parser.add_argument(f"--{name}", required=True)
    options, _ = parser.parse_known_args(arguments)
    audit(load(options.workload), parse_days(options.days), options.staging, options.docs, options.recent)


def audit(workload: Workload, days: Sequence[date], staging: str, docs: str, recent_uri: str) -> AuditDocument:
    """Writes audit.json and the statistics of each day to the staging prefix, and the Data Docs.

    Args:
        workload: The workload.
        days: The days to audit, in order.
        staging: URI of the transform run's staging prefix.
        docs: URI of the prefix of the Data Docs.
        recent_uri: URI of the document that lists the published days (``include.lake.recent``).

    Returns:
        The content of audit.json.
    """
    report: ReportDocument = read_json(join_uri(staging, REPORT_FILE))
    published: RecentDocument = read_json(recent_uri)
    recent, pages = RecentDays(published["days"]), Docs(workload.name)
    results: dict[str, AuditedDay] = {}
    suites = {name: gx_suite(name, suite) for name, suite in workload.suites.items()}
    for validated in validated_days(workload, suites, days, staging):
        day = validated.day
        result, profiles = audit_day(workload, validated, report, recent)
        for event_type, found in validated.results.items():
            pages.add(workload.suites[event_type], suites[event_type], day, found)
        write_json(join_uri(staging, statistics_file(day)), profiles)
        if result["success"]:
            recent.add(day, profiles)
        results[day.isoformat()] = result
    document: AuditDocument = {
        "days": results,
        "docs": pages.write(docs, results, report),
        "recent": recent_uri,
    }
    write_json(join_uri(staging, AUDIT_FILE), document)
    return document


def audit_day(
    workload: Workload, validated: ValidatedDay, report: ReportDocument, recent: RecentDays
) -> tuple[AuditedDay, Profiles]:
    """Audits all event types of one day.

    Returns:
        The findings, and the day's statistics.
    """
    day = validated.day
    findings: list[Finding] = audit_tables(workload, report["tables"])
    statistics: dict[str, EventStatistics] = {}
    profiles: Profiles = {}
    counts_of_day = report["days"].get(day.isoformat(), {})
    before = recent.before(day)
    for event_type, event in workload.events.items():
        rows, suite = validated.rows[event_type], workload.suites[event_type]
        counts = counts_of_day.get(event_type)
        reasons = report["reasons"].get(day.isoformat(), {}).get(event_type, {})
        profiles[event_type] = profile_day(rows)
        found = audit_rows(event_type, suite, rows, counts, reasons)
        if rows.rows:
            found += audit_columns(event_type, suite, rows, validated.results[event_type])
        found += audit_joins(workload, rows) if event.role == "features" else []
        of_type = {name: other[event_type] for name, other in before.items() if event_type in other}
        found += compare_day(
            event_type, event.role, day, rows, profiles[event_type], of_type, workload.comparison_tunings
        )
        findings += found
        statistics[event_type] = {"rows": rows.rows, "failed": len(found)}
        if counts is not None:
            statistics[event_type] |= {**counts}
    unknown = {name: counts["read"] for name, counts in counts_of_day.items() if name not in workload.events}
    findings += [
        Finding("warning", f"{name}.type", f"{name}: {read} events of a type that this workload does not have")
        for name, read in unknown.items()
    ]
    return _audited(findings, list(before), statistics), profiles


def _audited(findings: list[Finding], compared: list[str], statistics: dict[str, EventStatistics]) -> AuditedDay:
    critical = [finding.text for finding in findings if finding.severity == "critical"]
    too_few = f"compared with {len(compared)} recent days: a comparison needs {MINIMUM_DAYS}, so it was left out"
    return {
        "success": not critical,
        "critical_failures": critical,
        "warnings": [finding.text for finding in findings if finding.severity != "critical"],
        "findings": [_document(finding) for finding in findings],
        "notes": [too_few] if len(compared) < MINIMUM_DAYS else [],
        "compared": compared,
        "statistics": statistics,
    }


def _document(finding: Finding) -> FoundDocument:
    return {"name": finding.name, "severity": finding.severity, "text": finding.text}


if __name__ == "__main__":
    main()
