"""The page of the dashboard: a plot for each widget, as SVG, and the open alarms. It needs no network."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path

from include.glue.markup import page
from infra.laptop.aws import Aws
from infra.laptop.bootstrap.dashboard import NAME
from infra.laptop.config import LaptopConfig
from infra.laptop.dashboard import series, widgets
from infra.laptop.dashboard.series import Points
from infra.laptop.dashboard.widgets import Chart, Metric
from infra.laptop.inbox.open_alarms import OpenAlarm, open_alarms

HOURS = 3
_WIDTH, _HEIGHT, _LEFT = 360, 120, 52
_COLOURS = (
    "light-dark(#1f5fc4, #7fb0ff)", "light-dark(#b3261e, #ff8a80)", "light-dark(#1b6e3c, #7ddc9a)",
    "light-dark(#8a5a00, #ffcc66)",
)  # fmt: skip
_DASHES = ("none", "6 3", "2 2", "9 2 2 2", "1 4")  # a line is known without its colour
_STYLE = (
    "<style>.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)); gap: 1rem; }"
    " figure { margin: 0; } figcaption { font-size: .85rem; } figcaption svg { width: 2rem; vertical-align: middle; }"
    " figure > svg { width: 100%; height: auto; }</style>"
)


def write(config: LaptopConfig, aws: Aws, now: datetime) -> Path:
    """Writes ``dashboard.html`` in the run folder, and returns its path."""
    body = json.loads(aws.cloudwatch.get_dashboard(DashboardName=NAME)["DashboardBody"])
    charts = list(widgets.charts(body))
    start = now - timedelta(hours=HOURS)
    target = config.state / "dashboard.html"
    partial = target.with_name(f"{target.name}.new")
    partial.write_text(render(charts, series.read(aws, charts, start, now), open_alarms(aws), start, now), "utf-8")
    partial.replace(target)
    return target


def render(
    charts: Sequence[Chart],
    values: Mapping[tuple[Metric, int], Points],
    alarms: Sequence[OpenAlarm],
    start: datetime,
    end: datetime,
) -> str:
    """The page's HTML."""
    opened = ", ".join(alarm.name for alarm in alarms)
    told = (
        f'<p class="failed">Open alarms: {escape(opened)}</p>' if alarms else '<p class="passed">No alarm is open.</p>'
    )
    parts = [_STYLE, "<h1>Dashboard</h1>", told, f"<p>{_text(start)} to {_text(end)} (UTC)</p>"]
    for section in dict.fromkeys(chart.section for chart in charts):
        drawn = "".join(_figure(chart, values, start, end) for chart in charts if chart.section == section)
        parts.append(f'<h2>{escape(section)}</h2><div class="charts">{drawn}</div>')
    return page("Dashboard", "".join(parts))


def _figure(chart: Chart, values: Mapping[tuple[Metric, int], Points], start: datetime, end: datetime) -> str:
    lines = [(metric, values.get((metric, chart.period), [])) for metric in chart.metrics]
    known = [value for _, points in lines for _, value in points]
    top = max([*known, 0.0]) or 1.0
    seconds = (end - start).total_seconds()

    def place(moment: datetime, value: float) -> str:
        left = _LEFT + _WIDTH * (moment.astimezone(UTC) - start).total_seconds() / seconds
        return f"{left:.1f},{8 + _HEIGHT * (1 - value / top):.1f}"

    parts = [
        f'<line x1="{_LEFT}" x2="{_LEFT + _WIDTH}" y1="{y}" y2="{y}" stroke="currentColor" opacity=".3"/>'
        f'<text x="{_LEFT - 6}" y="{y + 4}" text-anchor="end" font-size="11" fill="currentColor">{text}</text>'
        for y, text in ((8, f"{top:g}" if top < 1e4 else f"{top:.2g}"), (8 + _HEIGHT, "0"))
    ]
    legend = []
    for number, (metric, points) in enumerate(lines):
        colour = _COLOURS[number % len(_COLOURS)]
        style = f"stroke: {colour}; stroke-dasharray: {_DASHES[number % len(_DASHES)]}"
        places = " ".join(place(moment, max(0.0, value)) for moment, value in points)
        dots = "".join(
            f'<circle class="point" cx="{one.split(",")[0]}" cy="{one.split(",")[1]}" r="1.6" style="fill: {colour}"/>'
            for one in places.split()
        )
        parts.append(f'<polyline points="{places}" fill="none" style="{style}"/>{dots}')
        newest = f"{points[-1][1]:.4g}" if points else "no data"
        key = f'<svg viewBox="0 0 32 8" aria-hidden="true"><path d="M0,4 H32" stroke-width="2" style="{style}"/></svg>'
        legend.append(f"{key} {escape(metric.label)}: {newest}")
    svg = f'<svg viewBox="0 0 {_LEFT + _WIDTH + 8} {_HEIGHT + 18}" role="img" aria-label="{escape(chart.title)}">'
    caption = f"<figcaption><b>{escape(chart.title)}</b><br>{'<br>'.join(legend)}</figcaption>"
    return f"<figure>{svg}{''.join(parts)}</svg>{caption}</figure>"


def _text(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"
