"""The page of the dashboard, from its JSON and from values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.laptop.dashboard.page import render
from infra.laptop.dashboard.widgets import Chart, Metric, charts, written_out
from infra.laptop.inbox.open_alarms import OpenAlarm

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
METRIC = Metric("N", "Requests", (("Workload", "flights"),), "Sum")
CHART = Chart("flights <b>", "requests & errors", 60, (METRIC,))


@pytest.mark.parametrize(
    ("entries", "names"),
    [
        ([["N", "a", "D", "x"], [".", "b", ".", "."]], [("a", "x", "Sum"), ("b", "x", "Sum")]),
        ([["N", "a", "D", "x"], ["...", "y"]], [("a", "x", "Sum"), ("a", "y", "Sum")]),
        ([["N", "a", "D", "x", {"stat": "p50"}], ["...", {"stat": "p99"}]], [("a", "x", "p50"), ("a", "x", "p99")]),
    ],
)
def test_shorthand_is_written_out(entries: list[list[Any]], names: list[tuple[str, str, str]]) -> None:
    assert [(one.name, one.dimensions[0][1], one.stat) for one in written_out(entries, "Sum")] == names


def test_the_charts_of_a_dashboard_have_the_heading_before_them() -> None:
    body: dict[str, Any] = {
        "widgets": [
            {"type": "alarm", "properties": {"alarms": []}},
            {"type": "text", "properties": {"markdown": "## flights"}},
            {"type": "metric", "properties": {"title": "t", "period": 60, "metrics": [["N", "a"]]}},
        ]
    }
    (chart,) = charts(body)
    assert (chart.section, chart.title, chart.period) == ("flights", "t", 60)
    assert chart.metrics == (Metric("N", "a", (), "Average"),)


def test_the_page_draws_the_values_and_escapes_what_it_shows() -> None:
    points = [(NOW - timedelta(minutes=minutes), float(minutes)) for minutes in (60, 30, 0)]
    page = render([CHART], {(METRIC, 60): points}, [], NOW - timedelta(hours=3), NOW)
    assert "flights &lt;b&gt;" in page and "requests &amp; errors" in page and "<script" not in page
    assert 'points="292.0,8.0 352.0,68.0 412.0,128.0"' in page
    assert "Requests: 0" in page and "No alarm is open" in page


def test_a_metric_without_data_and_an_open_alarm_are_named() -> None:
    page = render([CHART], {}, [OpenAlarm("cpu<", "", "", "")], NOW - timedelta(hours=3), NOW)
    assert "Requests: no data" in page and "Open alarms: cpu&lt;" in page
