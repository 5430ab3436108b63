"""The dashboard shows the metric of every alarm of a workload, and what it shows is well-formed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from include.workloads import load
from infra.laptop.bootstrap.alarms import Dimensions, read
from infra.laptop.bootstrap.dashboard import widgets

NAMED = Dimensions("app/nightjar/1", "targetgroup/nightjar-flights/1")
Metric = tuple[str, str, frozenset[tuple[str, str]]]


def of_alarm(alarm: dict[str, Any]) -> Iterator[Metric]:
    """The metrics that an alarm looks at."""
    stats = [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", ()) if "MetricStat" in query]
    for metric in stats or [alarm]:
        dimensions = frozenset((one["Name"], one["Value"]) for one in metric.get("Dimensions", ()))
        yield metric["Namespace"], metric["MetricName"], dimensions


def shown(metrics: list[list[Any]]) -> Iterator[Metric]:
    """The metrics of a widget: ``.`` repeats a word of the metric before, ``...`` all of them."""
    before: list[str] = []
    for entry in metrics:
        words = [word for word in entry if isinstance(word, str)]
        words = before if words == ["..."] else words
        before = [before[place] if word == "." else word for place, word in enumerate(words)]
        pairs = before[2:]
        yield before[0], before[1], frozenset(zip(pairs[::2], pairs[1::2], strict=True))


def on_dashboard() -> set[Metric]:
    rows = widgets(load("flights"), NAMED)
    return {metric for row in rows if row["type"] == "metric" for metric in shown(row["properties"]["metrics"])}


def test_every_alarm_of_a_workload_has_its_metrics_on_the_dashboard() -> None:
    alarms = read("flights", load("flights").stream.name, NAMED).metric
    watched = {metric for alarm in alarms.values() if alarm["per"] == "workload" for metric in of_alarm(alarm)}
    assert watched - on_dashboard() == set(), "add them to infra/definitions/dashboard.yaml"


def test_every_widget_has_a_title_and_a_size() -> None:
    for widget in widgets(load("flights"), NAMED):
        assert widget["width"] <= 24 and widget["height"] >= 1
        assert widget["type"] == "text" or widget["properties"]["title"]


def test_shorthand_is_read() -> None:
    metrics = [["N", "a", "D", "x"], [".", "b", ".", "."], ["...", {"stat": "p99"}]]
    assert list(shown(metrics)) == [("N", name, frozenset({("D", "x")})) for name in ("a", "b", "b")]
