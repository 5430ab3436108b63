"""Every page that the product writes for people, in one browser: read by ear, by keyboard, on a phone, dark and light.

The models page and the service's page have tests of their own, because a person acts on them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from include.glue.day_page import day_page, index_page
from include.pipelines.backfill.page import plan_page, report_page
from include.pipelines.backfill.report import make_report
from include.pipelines.card import card_page
from include.pipelines.deploy.shadow.compare import verdict
from include.pipelines.deploy.shadow.page import shadow_page
from include.pipelines.monitor import make_report as monitor_report
from include.pipelines.monitor.page import page as monitor_page
from infra.laptop import night_log, nights_page, reports
from infra.laptop.airflow_environment import SITE
from infra.laptop.config import LaptopConfig
from infra.laptop.dashboard import page as dashboard
from infra.laptop.dashboard.widgets import Chart, Metric
from infra.laptop.inbox import page as inbox
from infra.laptop.inbox.messages import AlarmChange, Message
from infra.laptop.inbox.open_alarms import OpenAlarm
from infra.laptop.night_log import NightRecord
from tests.support.accessibility import faults, nodes
from tests.support.backfills import NOW, complete_to, march, planned, publish, raw
from tests.support.browser import browser
from tests.support.evaluations import card_facts, evaluation
from tests.support.monitor_runs import PLAN, baseline, entry, evenly
from tests.support.retrain_runs import State
from tests.support.shadows import SPEC, report, with_shadow
from tests.support.stores_in_memory import ItemsInMemory
from tests.support.tiny_workload import tiny_workload

__all__ = ["browser"]

pytestmark = pytest.mark.stack
ALARM = OpenAlarm("nightjar-flights-cpu", "2026-11-29T10:01:00+00:00", "Busy.", "Threshold crossed")
DAY: dict[str, Any] = {
    "success": False,
    "critical_failures": ["offered: no rows"],
    "warnings": ["offered: few rows"],
    "findings": [{"severity": severity, "name": "rows", "text": "no rows"} for severity in ("critical", "warning")],
    "notes": ["too few days"],
    "compared": ["2013-02-28"],
    "statistics": {"offered": {"read": 5, "rows": 5}},
}
REPORT: Any = {
    "days": {},
    "tables": {"makers": {"read": 4, "quarantined": 0}},
    "reasons": {"2013-03-01": {"offered": {"price: is missing": 2}}},
}

# The marks of each drawing that show data: what is hollow, dashed or a line has another shape than what is not. The
# points of a line are known by their line.
MARKS = """() => [...document.querySelectorAll("svg")].map((svg) => [...svg.querySelectorAll("*")]
  .filter((one) => one.matches("polyline, circle, rect, path"))
  .filter((one) => !one.closest(".frame, .guide, .point"))
  .map((one) => {
    const style = getComputedStyle(one), ground = getComputedStyle(document.documentElement).backgroundColor;
    const kind = (colour) => (colour === "none" ? "none" : colour === ground ? "hollow" : "drawn");
    const shape = [one.tagName, kind(style.fill), kind(style.stroke), style.strokeDasharray];
    const colours = [style.fill, style.stroke].filter((colour) => kind(colour) === "drawn");
    return { shape: shape.join(), colours: colours.join() };
  }))"""


def alerts(folder: Path) -> str:
    change = AlarmChange("nightjar-flights-cpu", "ALARM", "OK", "Threshold crossed", "Busy.")
    messages = [
        Message("2", "2026-11-29T10:01:00.000Z", "ALARM: cpu", "Busy.\nThreshold", change, "docs/runbooks/cpu.md"),
        Message("1", "2026-11-29T10:00:00.000Z", "A run failed", "See http://127.0.0.1:8080/r?a=1"),
    ]
    return inbox.render(messages, [ALARM])


def quiet_alerts(folder: Path) -> str:
    return inbox.render([], [])


def charts(folder: Path) -> str:
    metrics = tuple(Metric("N", name, (), "Sum") for name in ("Requests", "Errors", "Refused", "Slow", "Cached"))
    points = [(NOW - timedelta(minutes=minutes), float(minutes)) for minutes in (60, 30, 0)]
    values = {(metric, 60): points for metric in metrics}
    return dashboard.render([Chart("flights", "Traffic", 60, metrics)], values, [ALARM], NOW - timedelta(hours=3), NOW)


def nights(folder: Path) -> str:
    config = LaptopConfig(run=folder)
    given: list[dict[str, Any]] = [
        {"version": 1, "decision": "promoted", "auc": 0.73, "outcome": "version 1 is live"},
        {"version": 2, "decision": "refused", "auc": 0.71, "champion_auc": 0.735, "reason": "worse than version 1"},
        {"status": "refused", "outcome": "rows: 3 < 4"},
        {"status": "failed", "outcome": "flights_process failed"},
    ]
    for offset, fields in enumerate(given):
        record = {"workload": "flights", "day": date(2013, 6, 19 + offset), "seconds": 60, "outcome": "", **fields}
        night_log.append(config, NightRecord(**record))
    return nights_page.write(config).read_text()


def card(folder: Path) -> str:
    return card_page(card_facts(evaluation(0.70, 0.69), champion="3"))


def plan(folder: Path) -> str:
    return plan_page(_plan(folder)).decode()


def outcome(folder: Path) -> str:
    made, state = _plan(folder), State({})
    publish(made, state, *made["chunks"][0]["days"], status="refused")
    return report_page(make_report(made, "2013-06-01T00:00:00Z", ["run 2"], NOW, state)).decode()


def monitoring(folder: Path) -> str:
    moved = [*evenly(0), entry("bin", "1:9", 450), entry("bin", "1:missing", 50), entry("rows", "", 500)]
    log = [entry("rows", "", 0), entry("delay", "|", 0), entry("skew", "|", 0), entry("skew", "price|", 0)]
    found = monitor_report(tiny_workload(folder), PLAN, baseline("stock", "price"), moved, log, ItemsInMemory())
    return monitor_page(found).decode()


def shadow(folder: Path) -> str:
    found = report(refused={"requests": 7, "reasons": {"price is missing": 7}})
    return shadow_page(with_shadow(), (6, 7), found, verdict(found, SPEC), ["predictions/flights/2026/11/29/10/"])


def audited_day(folder: Path) -> str:
    evaluated = {"offered": [("expect_column_mean", "no", "500.0")]}
    return day_page("shop", "2013-03-01", DAY, REPORT, evaluated)  # type: ignore[arg-type]


def audited_days(folder: Path) -> str:
    passed: Any = {**DAY, "success": True}
    return index_page("shop", {"2013-03-01": DAY, "2013-03-02": passed})  # type: ignore[dict-item]


def audited_days_of_all(folder: Path) -> str:
    report = folder / "flights/r/days/2013-03-02.html"
    report.parent.mkdir(parents=True)
    report.touch()
    override = {"expectations": ["scheduled.volume"], "reason": "a holiday", "expires": "2026-03-06", "by": "ann"}
    items: list[reports.AuditedDay] = [
        ("flights", "2013-03-02", {"status": "published", "run": "r", "overridden": override}),
        ("flights", "2013-03-01", {"status": "refused", "run": "r", "reason": "offered: no rows"}),
        ("flights", "2013-02-28", {"status": "failed"}),
    ]
    return reports.index_page(items, {("flights", "r"): {"2013-03-02": {"warnings": ["odd price"]}}}, folder)


def job(folder: Path) -> str:
    facts = {"State": "FAILED", "Name": "nj-flights-train-k"}
    sections = {"Log": "a line of a log\n" * 50}
    values = SimpleNamespace(facts=facts, service_url="http://127.0.0.1:1/", reason="out of memory", sections=sections)
    return _job_html("job.html", title="Training job nj-flights-train-k", job=values)


def document(folder: Path) -> str:
    return _job_html("document.html", title="decision.json", text='{"reasons": []}', problem="")


PAGES = (
    alerts, quiet_alerts, charts, nights, card, plan, outcome, monitoring, shadow, audited_day, audited_days,
    audited_days_of_all, job, document,
)  # fmt: skip


def opened(text: str, browser: BrowserContext, folder: Path) -> Page:
    """A page in the browser."""
    file = folder / "page.html"
    file.write_text(text, "utf-8")
    page = browser.new_page()
    page.goto(file.as_uri())
    return page


@pytest.mark.parametrize("made", PAGES, ids=lambda made: made.__name__)
def test_nothing_is_between_a_page_and_its_reader(
    made: Callable[[Path], str], browser: BrowserContext, tmp_path: Path
) -> None:
    page = opened(made(tmp_path), browser, tmp_path)
    found = faults(page)
    (title,) = (node.name for node in nodes(page, "heading") if node.properties["level"] == 1)
    assert title in page.title()
    page.close()
    assert found == []


@pytest.mark.parametrize("made", [charts, nights, card, monitoring], ids=lambda made: made.__name__)
def test_a_drawing_says_nothing_by_its_colour_alone(
    made: Callable[[Path], str], browser: BrowserContext, tmp_path: Path
) -> None:
    """Without their colours, two marks of a drawing that differ in colour still differ."""
    page = opened(made(tmp_path), browser, tmp_path)
    drawings = page.evaluate(MARKS)
    page.close()
    assert any(len({mark["colours"] for mark in marks}) > 1 for marks in drawings), "there is nothing to tell apart"
    for marks in drawings:
        by_shape: dict[str, set[str]] = {}
        for mark in marks:
            by_shape.setdefault(mark["shape"], set()).add(mark["colours"])
        assert [colours for colours in by_shape.values() if len(colours) > 1] == []


def _job_html(template: str, **values: Any) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SITE))
        return import_module("nightjar_laptop.job_markup").html(template, **values)


def _plan(folder: Path) -> Any:
    shop = tiny_workload(folder)
    made = planned(shop, raw(shop, march(1, 9)), complete_to(shop, date(2013, 3, 10)), retrain_every="daily")
    usd, seconds = ({"likely": 4.0, "low": 3.0, "high": 6.0} for _ in range(2))
    return {**made, "estimate": {"seconds": seconds, "usd": usd, "basis": "3 past runs"}}
