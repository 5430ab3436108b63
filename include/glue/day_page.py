"""The page of one audited day, for people: what was found, what it was compared with, what happened to every row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from include.glue.markup import page, table, table_of

if TYPE_CHECKING:
    from include.glue.audit_document import AuditedDay
    from include.glue.report import ReportDocument

GREAT_EXPECTATIONS = "great_expectations"
"""Folder of Great Expectations' own pages, beside the days' pages."""
_COUNTS = ("read", "duplicates", "quarantined", "written", "rows", "failed")


def day_page(
    workload: str,
    day: str,
    audited: AuditedDay,
    report: ReportDocument,
    evaluated: Mapping[str, Sequence[tuple[str, str, str]]],
) -> str:
    """Returns the page of a day.

    Args:
        workload: The workload's name.
        day: The day (ISO).
        audited: What was found.
        report: The transform's report.
        evaluated: Event type → name, verdict and observation of each expectation on columns.
    """
    title = f"{workload} {day}"
    findings = sorted(audited["findings"], key=lambda finding: (finding["severity"], finding["name"]))
    parts = [f"<h1>{escape(title)}</h1>", f"<p>{_verdict(audited)}</p>"]
    if findings:
        rows = (
            f'<td class="{escape(finding["severity"])}">{escape(finding["severity"])}</td>'
            f"<td>{escape(finding['name'])}</td><td>{escape(finding['text'])}</td>"
            for finding in findings
        )
        head = ("severity", "expectation", "found")
        parts += ["<h2>Not as expected</h2>", table_of("Not as expected", head, rows)]
    parts += [f"<p>Note: {escape(note)}.</p>" for note in audited["notes"]]
    compared = audited["compared"]
    if compared:
        days = f"{len(compared)} recent days, {compared[0]} to {compared[-1]}"
        parts.append(f'<p class="quiet">Compared with {escape(days)}.</p>')
    events = [[name, *(counts.get(key, "") for key in _COUNTS)] for name, counts in audited["statistics"].items()]
    parts += ["<h2>Rows</h2>", table("Rows", ("event type", *_COUNTS), events)]
    tables = [[name, counts["read"], counts["quarantined"]] for name, counts in report["tables"].items()]
    if tables:
        parts += ["<h2>Reference rows</h2>", table("Reference rows", ("table", "read", "quarantined"), tables)]
    reasons = [
        [name, count, reason]
        for name, found in report["reasons"].get(day, {}).items()
        for reason, count in found.items()
    ]
    if reasons:
        heading = "Why rows were quarantined"
        parts += [f"<h2>{heading}</h2>", table(heading, ("event type", "rows", "reason"), reasons)]
    observed = [[event_type, *row] for event_type, rows in evaluated.items() for row in rows]
    if observed:
        names = ("event type", "expectation", "met", "observed")
        parts += ["<h2>Expectations of the columns</h2>", table("Expectations of the columns", names, observed)]
    docs = f'<a href="../{GREAT_EXPECTATIONS}/index.html">Data Docs</a>'
    parts.append(f'<p class="quiet">See <a href="../index.html">all days of this audit</a>, {docs}.</p>')
    return page(title, "\n".join(parts))


def index_page(workload: str, days: Mapping[str, AuditedDay]) -> str:
    """Returns the first page of an audit: its days."""
    rows = (
        f'<td><a href="days/{day}.html">{day}</a></td><td>{_verdict(audited)}</td>'
        f'<td class="number">{len(audited["warnings"])}</td>'
        f"<td>{escape('; '.join(audited['critical_failures']))}</td>"
        for day, audited in days.items()
    )
    listed = table_of("Audited days", ("day", "audit", "warnings", "critical"), rows)
    docs = f'<p class="quiet"><a href="{GREAT_EXPECTATIONS}/index.html">Data Docs</a> of Great Expectations.</p>'
    title = f"{workload}: audited days"
    return page(title, f"<h1>{escape(title)}</h1>{listed}{docs}")


def _verdict(audited: AuditedDay) -> str:
    if audited["success"]:
        warnings = len(audited["warnings"])
        return '<span class="passed">passed</span>' + (f", {warnings} warnings" if warnings else "")
    return '<span class="failed">failed</span>: not published, unless a person overrides what failed'
