"""What the nights have cost, as the product says it: on the version, in `make status`, in CloudWatch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.laptop import costs, registry
from tests.support.loop import WORKLOAD, Loop

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def month(loop: Loop) -> Any:
    """What the workload has cost this month, after a run of the DAG of jobs and costs.

    Soon after a month has begun, the jobs of the nights are those of the month before.
    """
    loop.run("jobs")
    present, table = datetime.now(UTC), costs.ChargesOfTable(loop.aws)
    months = {f"{moment:%Y-%m}" for moment in (present - timedelta(hours=3), present)}
    return [item for month in sorted(months) for item in table.query(f"cost#{WORKLOAD}#{month}").values()]


def test_every_job_of_a_night_is_recorded_with_its_run(loop: Loop, month: Any) -> None:
    stages = {item["stage"] for item in month if item.get("run", "").startswith(f"{WORKLOAD}_")}
    assert stages >= {"transform", "audit", "dataset", "digest", "training", "evaluation"}
    for item in month:
        assert item["usd"] is not None and item["usd"] >= 0, item


def test_the_hours_of_the_service_and_what_is_stored_are_priced(loop: Loop, month: Any) -> None:
    kinds = {item["kind"] for item in month}
    assert kinds >= {"service", "storage"}
    stored = next(item for item in month if item["kind"] == "storage")
    assert stored["by_folder"][f"{loop.bucket('raw')}/raw"] > 0


def test_the_version_says_what_it_has_cost(loop: Loop, month: Any) -> None:
    version = registry.version_of_day(loop.aws, WORKLOAD, loop.days[1])
    assert version is not None
    metadata = version["CustomerMetadataProperties"]
    assert float(metadata["cost_usd"]) > 0 and float(metadata["processing_usd"]) > 0


def test_make_status_shows_today_and_this_month(loop: Loop, month: Any) -> None:
    found = loop.status()["workloads"][WORKLOAD]["costs"]
    assert 0 < found["today_usd"] <= found["month_usd"] <= found["forecast_usd"]


def test_the_metrics_are_in_cloudwatch(loop: Loop, month: Any) -> None:
    found = loop.aws.cloudwatch.list_metrics(Namespace="Nightjar/Cost")["Metrics"]
    assert {metric["MetricName"] for metric in found} == {"UsdToday", "UsdMonth", "UsdMonthForecast"}
