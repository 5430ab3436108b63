"""The CloudWatch metrics of a monitor run (docs/observability.md, "Monitoring")."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from include.lake.days import cutoff, parse_day
from include.lake.instants import parse_instant
from include.pipelines.monitor.accuracy import newest
from include.pipelines.monitor.types import MonitorPlan, MonitorReport
from include.sql.monitor import SCORE_COLUMN

NAMESPACE = "Nightjar/Monitoring"
UNITS = {"MonitoredRows": "Count", "DriftedFeatures": "Count", "ConfirmedDrift": "Count"}
_HOUR = 3600


def measured(report: MonitorReport, plan: MonitorPlan, bar: float) -> dict[str, float]:
    """Returns the metrics of a run; what was not measured has none.

    Args:
        report: What the run found; its ``metrics`` are not looked at.
        plan: Its plan.
        bar: The least AUC of the workload.
    """
    lake, log = report["lake"], report["log"]
    columns = [*lake["columns"], *(one for one in log["columns"] if one["name"] != SCORE_COLUMN)]
    found: dict[str, float] = {
        "MonitoredRows": lake["rows"] + log["rows"],
        "ConfirmedDrift": len(report["confirmed"]),
    }
    if columns:
        found["DriftPsiMax"] = max(one["psi"] for one in columns)
        found["DriftedFeatures"] = sum(bool(one["drifted"]) for one in columns)
    for column in log["columns"]:
        if column["name"] == SCORE_COLUMN:
            found["ScoreDrift"] = column["psi"]
    accuracy = newest(report["accuracy"], report["version"])
    if accuracy and accuracy["auc"] is not None and accuracy["high"] is not None:
        found["ProductionAuc"] = accuracy["auc"]
        found["AucShortfall"] = max(0.0, bar - accuracy["high"])
    if report["skew"]["rows"]:
        found["SkewShare"] = report["skew"]["differing"] / report["skew"]["rows"]
    return found | dict(_ages(plan))


def metric_data(report: MonitorReport) -> list[dict[str, Any]]:
    """Returns the metrics in the form of PutMetricData, with the time of the window's end."""
    instant = parse_instant(report["window_end"])
    by_workload = [{"Name": "Workload", "Value": report["workload"]}]
    data = [_datum(name, value, by_workload, instant) for name, value in report["metrics"].items()]
    for column in report["lake"]["columns"]:
        dimensions = [*by_workload, {"Name": "Feature", "Value": column["name"]}]
        data.append(_datum("DriftPsi", column["psi"], dimensions, instant))
    return data


def _datum(name: str, value: float, dimensions: list[dict[str, str]], instant: Any) -> dict[str, Any]:
    return {
        "MetricName": name,
        "Dimensions": dimensions,
        "Timestamp": instant,
        "Value": float(value),
        "Unit": UNITS.get(name, "None"),
    }


def _ages(plan: MonitorPlan) -> Iterator[tuple[str, float]]:
    """Ages by the clock of the data: the instant up to which the stream is read."""
    if not plan["data_clock"]:
        return
    clock = parse_instant(plan["data_clock"])
    published = cutoff(parse_day(plan["days"][-1]))
    yield "DataFreshnessHours", max(0.0, (clock - published).total_seconds() / _HOUR)
    yield "LiveModelAgeDays", max(0.0, (clock - parse_instant(plan["model_cutoff"])).total_seconds() / (24 * _HOUR))
