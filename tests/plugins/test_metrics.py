"""Metrics are published in calls that CloudWatch takes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from nightjar.metrics import publish_metrics

from tests.support.moto_cloud import MotoCloud, cloud, moto_server

__all__ = ["cloud", "moto_server"]
pytestmark = pytest.mark.stack
NOW = datetime.now(UTC).replace(microsecond=0)


def datum(name: str, value: float) -> dict[str, Any]:
    dimensions = [{"Name": "Subject", "Value": "shop"}]
    return {"MetricName": name, "Dimensions": dimensions, "Timestamp": NOW, "Value": value, "Unit": "None"}


def test_all_metrics_arrive_also_if_there_are_more_than_one_call_takes(cloud: MotoCloud) -> None:
    publish_metrics("Tests", [datum(f"m{index}", index) for index in range(1200)])
    client = cloud.client("cloudwatch")
    for name, value in (("m0", 0.0), ("m499", 499.0), ("m500", 500.0), ("m1199", 1199.0)):
        found = client.get_metric_statistics(
            Namespace="Tests",
            MetricName=name,
            Dimensions=[{"Name": "Subject", "Value": "shop"}],
            StartTime=NOW - timedelta(hours=1),
            EndTime=NOW + timedelta(hours=1),
            Period=3600,
            Statistics=["Maximum"],
        )
        assert [point["Maximum"] for point in found["Datapoints"]] == [value]


def test_no_metric_is_no_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    publish_metrics("Tests", [], "us-east-1")
