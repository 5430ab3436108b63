"""From the queries' results to the report, its page, its metrics and the run's note."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from include.lake.fingerprint import canonical_json
from include.pipelines.monitor import make_report, metric_data, notes, store_report
from include.pipelines.monitor.page import page
from include.pipelines.monitor.types import MonitorReport
from include.workloads import Workload
from tests.support.monitor_runs import PLAN, baseline, entry, evenly
from tests.support.retrain_runs import Objects
from tests.support.stores_in_memory import ItemsInMemory
from tests.support.tiny_workload import tiny_workload

LABELS = [entry("label", "0", 400), entry("label", "1", 100)]
QUIET = [*evenly(0), *evenly(1), entry("rows", "", 500), *LABELS]
MOVED = [*evenly(0), entry("bin", "1:9", 450), entry("bin", "1:missing", 50), entry("rows", "", 500), *LABELS]
NO_TRAFFIC = [entry("rows", "", 0), entry("delay", "|", 0), entry("skew", "|", 0), entry("skew", "price|", 0)]


@pytest.fixture
def shop(tmp_path: Path) -> Workload:
    return tiny_workload(tmp_path)


def report(shop: Workload, lake: list, log: list = NO_TRAFFIC, state: Any = None, **plan: Any) -> MonitorReport:
    made = baseline("stock", "price")
    return make_report(shop, {**PLAN, **plan}, made, lake, log, state or ItemsInMemory())  # type: ignore[typeddict-item]


def test_a_quiet_day_without_traffic(shop: Workload) -> None:
    found = report(shop, QUIET)
    assert (found["drifted"], found["confirmed"]) == ({}, {})
    assert notes.found(found) == "Version 3 against 500 rows of 2013-03-10 and 0 predictions. No drift."
    assert found["metrics"] == {
        "MonitoredRows": 500, "ConfirmedDrift": 0, "DriftPsiMax": pytest.approx(0, abs=0.01), "DriftedFeatures": 0,
        "DataFreshnessHours": 12.0, "LiveModelAgeDays": 1.5,
    }  # fmt: skip


def test_drift_is_confirmed_on_the_second_day(shop: Workload) -> None:
    state = ItemsInMemory()
    first = report(shop, MOVED, state=state)
    assert [*first["drifted"]] == ["feature price"] and first["confirmed"] == {}
    assert notes.found(first).endswith("Drifted in this window, not confirmed yet: feature price.")
    assert report(shop, MOVED, state=state)["confirmed"] == {}, "the same day again, an hour later"
    second = report(shop, MOVED, state=state, days=["2013-03-11"])
    assert [*second["confirmed"]] == ["feature price"]
    assert second["metrics"]["ConfirmedDrift"] == 1 and second["metrics"]["DriftedFeatures"] == 1
    assert "Drift is confirmed: feature price: other distribution" in notes.found(second)


def test_a_version_without_a_baseline_is_no_error(shop: Workload) -> None:
    plan: Any = {**PLAN, "baseline_key": "", "baseline_sha256": ""}
    found = make_report(shop, plan, None, [entry("rows", "", 500), *LABELS], NO_TRAFFIC, ItemsInMemory())
    assert "has no baseline" in notes.found(found) and found["lake"]["columns"] == []
    assert "DriftPsiMax" not in found["metrics"] and found["metrics"]["ConfirmedDrift"] == 0
    assert b"has no baseline" in page(found)


def test_few_rows_are_not_compared(shop: Workload) -> None:
    found = report(shop, [*evenly(0, 50), *evenly(1, 50), entry("rows", "", 50)])
    assert "too few to compare" in notes.found(found) and "No drift" not in notes.found(found)


def traffic(auc: str = "9.0E-1", differing: int = 0) -> list:
    judged = [
        entry("judged", f"3|{period}|{label}|{placement}|1.0E-2|5.0E1|2.0E1", 100)
        for period in ("all", "2013-03-09")
        for label, placement in (("1", auc), ("0", "1.0E-1"))
    ]
    return [
        *(row for index in (0, 1) for row in evenly(index)), entry("bin", "2:0", 450), entry("bin", "2:1", 50),
        entry("rows", "", 500), entry("version", "3", 900), *judged, entry("delay", "7200|90000", 200),
        entry("skew", f"price|{differing}", 300), entry("skew", "item|0", 300), entry("skew", f"|{differing}", 300),
    ]  # fmt: skip


def test_traffic_with_labels(shop: Workload) -> None:
    found = report(shop, QUIET, traffic())
    assert found["drifted"] == {}
    assert found["metrics"]["ProductionAuc"] == 0.9 and found["metrics"]["AucShortfall"] == 0
    assert found["metrics"]["SkewShare"] == 0 and found["metrics"]["ScoreDrift"] == pytest.approx(0, abs=0.01)
    assert "AUC in production 0.900 (0.872 to 0.928, 200 labels)" in notes.found(found)
    text = page(found).decode()
    assert "200 of 900 predictions have a label. Half of the labels came within 2.0 hours" in text


def test_a_model_below_its_bar_and_requests_that_differ_from_the_lake(shop: Workload) -> None:
    found = report(shop, QUIET, traffic("3.0E-1", differing=120))
    assert found["metrics"]["AucShortfall"] == pytest.approx(0.5 - 0.328, abs=1e-3)
    assert found["metrics"]["SkewShare"] == 0.4
    assert found["drifted"] == {
        "skew": "120 of 300 predictions were made from other values than the lake has, most often of price"
    }


def test_the_document_and_the_page_are_stored_and_the_page_escapes(shop: Workload) -> None:
    objects = Objects()
    made = baseline("stock", "price")
    made["fields"]["item"]["values"] = ["<script>alert(1)</script>", "b"]
    found = make_report(shop, PLAN, made, MOVED, traffic(), ItemsInMemory())
    uri = store_report(found, "artifact", objects)
    assert uri == "s3://artifact/monitor/shop/2013-03-11T10-00-00-000000Z.html"
    html = objects.bodies["artifact", "monitor/shop/2013-03-11T10-00-00-000000Z.html"].decode()
    assert "<script" not in html and "&lt;script" in html and "http" not in html.replace("http-equiv", "")
    assert html.count("<svg") == 2 + 3 and "color-scheme: light dark" in html
    stored = json.loads(objects.bodies["artifact", "monitor/shop/2013-03-11T10-00-00-000000Z.json"])
    assert stored == json.loads(canonical_json(found))


def test_metrics_name_workload_and_feature_and_the_end_of_the_window(shop: Workload) -> None:
    data = metric_data(report(shop, QUIET))
    assert {str(datum["Timestamp"]) for datum in data} == {"2013-03-11 10:00:00+00:00"}
    assert all(datum["Dimensions"][0] == {"Name": "Workload", "Value": "shop"} for datum in data)
    assert [datum["Dimensions"][1]["Value"] for datum in data if datum["MetricName"] == "DriftPsi"] == [
        "stock",
        "price",
    ]
