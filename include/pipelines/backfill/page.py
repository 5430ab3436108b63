"""The pages of a backfill: one HTML file each, which loads nothing and has no script. Every value is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from include.pipelines.backfill.report import BackfillReport
from include.pipelines.backfill.types import BackfillPlan
from include.pipelines.backfill.words import (
    cost_range,
    count,
    dollars,
    minutes,
    plan_sentence,
    size,
    spans,
    time_range,
)

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
:root {{ color-scheme: light dark; background: Canvas; color: CanvasText; }}
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }}
table {{ border-collapse: collapse; margin: 1rem 0; }}
.wide {{ overflow-x: auto; }}
th, td {{ border-bottom: 1px solid #8888; padding: .3rem .8rem; text-align: left; vertical-align: top; }}
td.n {{ text-align: right; font-variant-numeric: tabular-nums; }}
</style></head><body><main>
<h1>{title}</h1>
{body}
</main></body></html>
"""


def plan_page(plan: BackfillPlan) -> bytes:
    """The plan as a page."""
    days, found = plan["days"], plan["estimate"]
    facts = [
        ("Days to process", _days(days["to_process"])),
        ("Published already from the same inputs and code", _days(days["published"])),
        ("Refused already from the same inputs and code", _days(days["refused"])),
        ("Without raw data", _days(days["no_raw"])),
        ("Not complete in raw", _days(days["incomplete"])),
        ("Records, compressed size", f"{plan['rows']:,}, {size(plan['bytes'])}"),
        ("Remote jobs", f"{plan['jobs']:,}"),
        ("Time", time_range(found["seconds"])),
        ("Cost", cost_range(found["usd"])),
        ("Estimated from", found["basis"]),
        ("Retrained by an earlier backfill", _days(plan["retrains_done"])),
        ("No retrain, because the data set's first days are missing", _days(plan["retrains_left_out"])),
        ("Planned at", f"{plan['planned_at']} by build {plan['code_sha']}"),
    ]
    chunks = [
        (number, spans(chunk["days"]), len(chunk["days"]), f"{chunk['rows']:,}", size(chunk["bytes"]), chunk["run_id"])
        for number, chunk in enumerate(plan["chunks"], 1)
    ]
    body = f"<p>{escape(plan_sentence(plan))}</p>" + _facts("Plan", facts)
    if chunks:
        body += "<h2>Chunks</h2>" + _table("Chunks", ("no.", "days", "number", "records", "size", "run"), chunks)
    if plan["retrains"]:
        steps = [(step["day"], step["run_id"]) for step in plan["retrains"]]
        body += "<h2>Retrain runs</h2>" + _table("Retrain runs", ("day", "run"), steps)
    return _page(f"Plan of a backfill of {plan['workload']}", body)


def report_page(report: BackfillReport) -> bytes:
    """The report as a page."""
    facts = [
        ("Published", _days(report["published"])),
        ("Refused", _days(report["refused"])),
        ("Not processed", _days(report["missing"])),
        ("Skipped: published or refused before, or without complete raw data", count(report["skipped"], "day")),
        ("Took", minutes(report["seconds"])),
        ("Cost of the process runs' jobs", "unknown" if report["usd"] is None else dollars(report["usd"])),
        ("Estimated", f"{time_range(report['estimate']['seconds'])}, {cost_range(report['estimate']['usd'])}"),
        ("Error of the estimated time", _percent(report["seconds_error"])),
        ("Error of the estimated cost", _percent(report["usd_error"])),
    ]
    body = f"<p>{escape(report['sentence'])}</p>" + _facts("Report", facts)
    if report["refused"]:
        body += "<h2>Refused days</h2>" + _table("Refused days", ("day", "reason"), report["refused"].items())
    if report["failed_runs"]:
        body += "<h2>Runs that failed</h2>" + _table(
            "Runs that failed", ("run",), [(run,) for run in report["failed_runs"]]
        )
    return _page(f"Report of a backfill of {report['workload']}", body)


def _page(title: str, body: str) -> bytes:
    return _PAGE.format(title=escape(title), body=body).encode()


def _days(days: Iterable[str]) -> str:
    found = list(days)
    return f"{count(len(found), 'day')}: {spans(found)}" if found else "none"


def _percent(error: float | None) -> str:
    return "unknown" if error is None else f"{error:+.0%}"


def _facts(name: str, facts: Iterable[tuple[str, str]]) -> str:
    rows = (f'<th scope="row">{escape(fact)}</th>{_cell(value)}' for fact, value in facts)
    return _wide(name, rows)


def _table(name: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    return _wide(name, (head, *("".join(map(_cell, row)) for row in rows)))


def _wide(name: str, rows: Iterable[str]) -> str:
    """A table, which is scrolled where it is too wide, by keyboard too."""
    body, label = "".join(f"<tr>{row}</tr>" for row in rows), f'aria-label="{escape(name)}"'
    return f'<div class="wide" role="group" {label} tabindex="0"><table {label}>{body}</table></div>'


def _cell(value: object) -> str:
    numeric = isinstance(value, int)
    return f'<td class="n">{value}</td>' if numeric else f"<td>{escape(str(value))}</td>"
