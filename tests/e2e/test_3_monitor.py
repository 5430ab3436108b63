"""The monitor on the running stack: what it compares, measures, writes and publishes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from include.lake import layout
from include.model import bundle
from tests.support.loop import WORKLOAD, Loop, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]


def landed_row(loop: Loop) -> tuple[str, dict[str, Any]]:
    """A published flight that has landed: its key, and the request record as the lake has it."""
    names = [*loop.workload.request]
    columns = ", ".join(f's."{name}"' for name in names)
    sql = f"""select s.key, {columns} from flights_scheduled s join flights_landed l on l.key = s.key
        where s.event_date = '{loop.days[1]}' and l.event_date = '{loop.days[1]}' order by s.key limit 1"""
    (row,) = loop.query(sql)
    record: dict[str, Any] = {}
    for name, text in zip(names, row[1:], strict=True):
        kind = loop.workload.request[name].type
        if text == "":  # null
            record[name] = None
        else:
            record[name] = text if kind == "string" else int(text) if kind == "integer" else float(text)
    return row[0], record


def test_a_run_compares_measures_and_publishes(loop: Loop) -> None:
    assert bundle.BASELINE in loop.live_files()
    key, record = landed_row(loop)
    url = str(loop.service("/version").request.url).removesuffix("/version")
    answer = httpx.post(f"{url}/predict", json=record, headers={"x-request-id": key}, timeout=30)
    assert answer.status_code == 200, answer.text
    today = f"{datetime.now(UTC):%Y/%m/%d}"
    sql = f"select request_id from flights_predictions where day >= '{today}' and request_id = '{key}'"
    until(lambda: loop.query(sql), "the prediction is in the table")

    before = datetime.now(UTC)
    run = loop.run("monitor")
    assert (run.tasks["evaluate"], run.tasks["ask_retrain"], run.tasks["retrain"]) == ("success", "skipped", "skipped")
    prefix = layout.monitor_key(WORKLOAD, "", "").removesuffix(".")
    newest = max(name for name in loop.keys("artifact", prefix) if name.endswith(".json") and "baselines" not in name)
    report = json.loads(loop.read("artifact", newest))
    assert report["days"] == [str(loop.days[1])] and report["lake"]["rows"] > 500
    assert {column["name"] for column in report["lake"]["columns"]} == {*loop.workload.features}
    assert report["confirmed"] == {}
    assert report["skew"]["rows"] >= 1 and report["skew"]["differing"] == 0
    assert sum(one["rows"] for one in report["accuracy"] if one["period"] == "all") >= 1
    page = loop.read("artifact", newest.replace(".json", ".html")).decode()
    assert page.count("<svg") >= len(loop.workload.features)

    found = loop.aws.cloudwatch.get_metric_statistics(
        Namespace="Nightjar/Monitoring",
        MetricName="MonitoredRows",
        Dimensions=[{"Name": "Workload", "Value": WORKLOAD}],
        StartTime=before - timedelta(hours=1),
        EndTime=datetime.now(UTC) + timedelta(hours=1),
        Period=3600,
        Statistics=["Maximum"],
    )
    assert max(point["Maximum"] for point in found["Datapoints"]) >= report["lake"]["rows"]
