"""The latest values of what the monitor has measured, from CloudWatch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypedDict

NAMESPACE = "Nightjar/Monitoring"
DIMENSION = "Workload"
LOOK_BACK = timedelta(days=3)
PERIOD_SECONDS = 3600  # the monitor runs hourly


class Metric(NamedTuple):
    """A metric of the monitor, and how a person reads it."""

    name: str
    title: str
    digits: int


METRICS = (
    Metric("ConfirmedDrift", "confirmed drift", 0),
    Metric("DriftedFeatures", "features that drifted", 0),
    Metric("DriftPsiMax", "largest PSI of a feature", 3),
    Metric("ScoreDrift", "PSI of the score", 3),
    Metric("SkewShare", "share of predictions that differ when computed again", 4),
    Metric("ProductionAuc", "AUC in production", 4),
    Metric("LiveModelAgeDays", "age of the live model's data, days", 1),
)


class Measured(TypedDict):
    """A metric's latest value."""

    title: str
    value: float | None
    """None: not measured in the last days."""
    digits: int
    at: str | None


def queries(workload: str) -> list[dict[str, Any]]:
    """Returns the queries of one GetMetricData call for all metrics of a workload."""
    return [
        {
            "Id": f"m{index}",
            "MetricStat": {
                "Metric": {
                    "Namespace": NAMESPACE,
                    "MetricName": metric.name,
                    "Dimensions": [{"Name": DIMENSION, "Value": workload}],
                },
                "Period": PERIOD_SECONDS,
                "Stat": "Average",
            },
        }
        for index, metric in enumerate(METRICS)
    ]


def latest(results: Sequence[Mapping[str, Any]]) -> list[Measured]:
    """Reads the results of :func:`queries`: the newest value of each metric.

    Args:
        results: ``MetricDataResults`` of the answer.
    """
    newest: dict[str, tuple[datetime, float]] = {}
    for result in results:
        data = list(zip(result["Timestamps"], result["Values"], strict=True))
        newest.update({result["Id"]: max(data)} if data else {})
    return [_measured(metric, newest.get(f"m{index}")) for index, metric in enumerate(METRICS)]


def _measured(metric: Metric, found: tuple[datetime, float] | None) -> Measured:
    value, at = (found[1], found[0].isoformat()) if found else (None, None)
    return {"title": metric.title, "value": value, "digits": metric.digits, "at": at}
