"""Evaluates the results of a run's queries: drift, accuracy, skew, what is confirmed, and the metrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from include.lake.instants import format_instant, parse_instant
from include.model.baseline import Baseline
from include.pipelines.monitor import thresholds as limits
from include.pipelines.monitor.accuracy import delays, measure
from include.pipelines.monitor.compare import compare_columns, compare_labels
from include.pipelines.monitor.counts import QueryCounts, read_counts
from include.pipelines.monitor.history import remember
from include.pipelines.monitor.metrics import measured
from include.pipelines.monitor.types import (
    FORMAT,
    LAKE,
    LOG,
    MonitorPlan,
    MonitorReport,
    SkewResult,
    SourceResult,
)
from include.pipelines.protocols import StateStore
from include.sql.monitor import SCORE_COLUMN, column_names
from include.workloads import Workload

Rows = Iterable[Mapping[str, str | None]]
NO_BASELINE = "The live version has no baseline: it was trained before there was one. The next version has."
LOG_WINDOW_HOURS = 6  # windows of the log overlap; those that end in the same quarter of a day count as one


def make_report(
    workload: Workload,
    plan: MonitorPlan,
    baseline: Baseline | None,
    lake_rows: Rows,
    log_rows: Rows,
    state: StateStore,
) -> MonitorReport:
    """Evaluates a run, and remembers what drifted.

    Args:
        workload: The workload.
        plan: The run's plan.
        baseline: The live version's; None if it has none.
        lake_rows: The result of the query of published days.
        log_rows: The result of the query of the prediction log.
        state: The state table.

    Raises:
        ConflictError: Another run recorded a window at the same time.
    """
    features = baseline["features"] if baseline else {}
    fields = {SCORE_COLUMN: baseline["score"], **baseline["fields"]} if baseline else {}
    lake, log = read_counts(lake_rows, column_names(features)), read_counts(log_rows, column_names(fields))
    report: MonitorReport = {
        "format": FORMAT,
        "workload": workload.name,
        "version": plan["version"],
        "window_start": plan["window_start"],
        "window_end": plan["window_end"],
        "period_start": plan["period_start"],
        "days": plan["days"],
        "baseline": plan["baseline_sha256"],
        "lake": _source(plan["days"][-1], features, lake),
        "log": _source(log_window(parse_instant(plan["window_end"])), fields, log),
        "versions": log.versions,
        "accuracy": measure(log.judged),
        "delay": delays(*log.delay),
        "skew": _skew(log),
        "drifted": {},
        "confirmed": {},
        "metrics": {},
    }
    if baseline:
        report["lake"]["label"] = compare_labels(baseline["label"], lake.labels)
    for source in (LAKE, LOG):
        drifted = _drifted(report, source)
        report["drifted"] |= drifted
        if source == LAKE or log.rows >= limits.MINIMUM_ROWS:
            window = report["lake" if source == LAKE else "log"]["window"]
            report["confirmed"] |= remember(workload.name, source, window, drifted, state)
    report["metrics"] = measured(report, plan, workload.quality.bar)
    return report


def log_window(end: datetime) -> str:
    """Returns the name of the log's window that ends at an instant."""
    start = end.replace(hour=end.hour - end.hour % LOG_WINDOW_HOURS, minute=0, second=0, microsecond=0)
    return format_instant(start)


def _source(window: str, columns: Mapping, found: QueryCounts) -> SourceResult:  # type: ignore[type-arg]
    unmeasured = "" if columns else NO_BASELINE
    if columns and found.rows < limits.MINIMUM_ROWS:
        unmeasured = f"{found.rows} rows, fewer than {limits.MINIMUM_ROWS}: too few to compare."
    return {
        "window": window,
        "rows": found.rows,
        "columns": [] if unmeasured else compare_columns(columns, found.counts, found.moments),
        "label": None,
        "unmeasured": unmeasured,
    }


def _skew(log: QueryCounts) -> SkewResult:
    fields = {name: differing for name, differing in log.skew.items() if name and differing}
    return {"rows": log.compared, "differing": log.skew.get("", 0), "fields": fields}


def _drifted(report: MonitorReport, source: str) -> dict[str, str]:
    """Subject → why it drifted, of one source."""
    found = report["lake"] if source == LAKE else report["log"]
    kind = "feature" if source == LAKE else "field"
    subjects = {
        "score" if column["name"] == SCORE_COLUMN else f"{kind} {column['name']}": "; ".join(column["drifted"])
        for column in found["columns"]
        if column["drifted"]
    }
    if found["label"] and found["label"]["drifted"]:
        subjects["label"] = "; ".join(found["label"]["drifted"])
    skew = report["skew"]
    if source == LOG and skew["rows"] >= limits.MINIMUM_ROWS and skew["differing"] > limits.SKEW_SHARE * skew["rows"]:
        worst = max(skew["fields"], key=lambda name: skew["fields"][name])
        subjects["skew"] = (
            f"{skew['differing']} of {skew['rows']} predictions were made from other values than the lake has, "
            f"most often of {worst}"
        )
    return subjects
