"""The dashboard shows the metric of every alarm of a workload, and what it shows is well-formed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from include.workloads import load
from infra.laptop.bootstrap.alarms import Dimensions, read
from infra.laptop.bootstrap.dashboard import widgets
from infra.laptop.dashboard.widgets import charts

NAMED = Dimensions("app/nightjar/1", "targetgroup/nightjar-flights/1")
Metric = tuple[str, str, frozenset[tuple[str, str]]]


def of_alarm(alarm: dict[str, Any]) -> Iterator[Metric]:
    """The metrics that an alarm looks at."""
    stats = [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", ()) if "MetricStat" in query]
    for metric in stats or [alarm]:
        dimensions = frozenset((one["Name"], one["Value"]) for one in metric.get("Dimensions", ()))
        yield metric["Namespace"], metric["MetricName"], dimensions


def on_dashboard() -> set[Metric]:
    rows = widgets(load("flights"), NAMED)
    return {
        (metric.namespace, metric.name, frozenset(metric.dimensions))
        for chart in charts({"widgets": rows})
        for metric in chart.metrics
    }


def test_every_alarm_of_a_workload_has_its_metrics_on_the_dashboard() -> None:
    alarms = read("flights", load("flights").stream.name, NAMED).metric
    watched = {metric for alarm in alarms.values() if alarm["per"] == "workload" for metric in of_alarm(alarm)}
    assert watched - on_dashboard() == set(), "add them to infra/definitions/dashboard.yaml"


def test_every_widget_has_a_title_and_a_size() -> None:
    for widget in widgets(load("flights"), NAMED):
        assert widget["width"] <= 24 and widget["height"] >= 1
        assert widget["type"] == "text" or widget["properties"]["title"]
