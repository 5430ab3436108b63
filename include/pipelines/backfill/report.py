"""The end of a backfill: what became of each day, what it took, and how far the estimate was off."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict

from include.errors import RefusedError
from include.lake import state_keys
from include.lake.instants import parse_instant
from include.pipelines.backfill.estimate import Amount, Estimate
from include.pipelines.backfill.types import BackfillPlan
from include.pipelines.backfill.words import count, dollars, minutes, spans
from include.pipelines.protocols import StateStore

_REASON_CHARACTERS = 300


class BackfillReport(TypedDict):
    """What became of a backfill."""

    workload: str
    backfill: str
    sentence: str
    published: list[str]
    refused: dict[str, str]
    """Day → reason."""
    missing: list[str]
    """Days that are neither published nor refused, because their run failed or was stopped."""
    skipped: int
    """Days of the range that needed no processing, would be refused again, or had no complete raw data."""
    failed_runs: list[str]
    seconds: float
    """From the begin of the first chunk to this report."""
    usd: float | None
    """Cost of the jobs of the process runs; None where a run's cost is not known."""
    estimate: Estimate
    seconds_error: float | None
    """Estimate minus actual, relative to the actual."""
    usd_error: float | None


def make_report(
    plan: BackfillPlan, begun_at: str, failed_runs: Sequence[str], present: datetime, state: StateStore
) -> BackfillReport:
    """Reads what became of the planned days.

    Args:
        plan: The plan.
        begun_at: When the first chunk could begin (ISO 8601 UTC).
        failed_runs: The runs of chunks and retrains that failed.
        present: The present.
        state: The state table.
    """
    workload, wanted = plan["workload"], plan["fingerprints"]
    items = state.query(state_keys.day_partition_key(workload))
    found = {day: items.get(day, {}) for day in wanted}
    # Events that arrived since the plan make another fingerprint: the day is processed all the same.
    current = {
        day: item
        for day, item in found.items()
        if item.get("fingerprint") == wanted[day] or item.get("planned_at", "") >= plan["planned_at"]
    }
    published = [day for day, item in current.items() if item["status"] == "published"]
    refused = {
        day: str(item.get("reason", ""))[:_REASON_CHARACTERS]
        for day, item in current.items()
        if item["status"] == "refused" and item["planned_at"] >= plan["planned_at"]  # not by an earlier run
    }
    seconds = (present - parse_instant(begun_at)).total_seconds()
    usd = _cost({current[day]["run"] for day in (*published, *refused)}, workload, state)
    report: BackfillReport = {
        "workload": workload,
        "backfill": plan["backfill"],
        "sentence": "",
        "published": published,
        "refused": refused,
        "missing": [day for day in wanted if day not in published and day not in refused],
        "skipped": sum(len(plan["days"][kind]) for kind in ("published", "refused", "no_raw", "incomplete")),
        "failed_runs": list(failed_runs),
        "seconds": seconds,
        "usd": usd,
        "estimate": plan["estimate"],
        "seconds_error": _error(plan["estimate"]["seconds"], seconds),
        "usd_error": _error(plan["estimate"]["usd"], usd) if not plan["retrains"] else None,
    }
    return {**report, "sentence": _sentence(report, len(plan["retrains"]))}


def require_nothing_failed(report: BackfillReport) -> None:
    """Ends a backfill red if a day was not published or a run failed.

    Raises:
        RefusedError: One was. The text names them.
    """
    if report["refused"] or report["missing"] or report["failed_runs"]:
        raise RefusedError(
            f"{report['sentence']} Look at the runs that failed: {', '.join(report['failed_runs']) or 'none'}. Have "
            "the data or the expectations corrected, then start the backfill again: it repeats no published day."
        )


def _cost(runs: set[str], workload: str, state: StateStore) -> float | None:
    """The cost of process runs, by what they recorded."""
    items = state.query(state_keys.measurement_partition_key(workload, "process")).values()
    costs = {item["run"]: item["usd"] for item in items if item["run"] in runs}
    known = [usd for usd in costs.values() if usd is not None]
    return sum(known) if len(known) == len(runs) else None


def _error(estimated: Amount | None, actual: float | None) -> float | None:
    return (estimated["likely"] - actual) / actual if estimated and actual else None


def _sentence(report: BackfillReport, retrains: int) -> str:
    parts = [f"{count(len(report['published']), 'day')} published"]
    if report["refused"]:
        parts.append(f"{len(report['refused'])} refused ({spans(list(report['refused']))})")
    if report["missing"]:
        parts.append(f"{len(report['missing'])} not processed ({spans(report['missing'])})")
    parts.append(f"{report['skipped']} skipped")
    if retrains:
        parts.append(count(retrains, "retrain run"))
    text = f"{', '.join(parts)} in {minutes(report['seconds'])}"
    if report["usd"] is not None:
        text += f" for {dollars(report['usd'])}" + (" and what the retrain runs cost" if retrains else "")
    if report["seconds_error"] is not None:
        text += f"; the estimated time was {report['seconds_error']:+.0%} off"
    return text + "."
