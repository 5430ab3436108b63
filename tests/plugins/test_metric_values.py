"""What is made of CloudWatch's answers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import nightjar.metric_values
import pytest
from botocore.stub import Stubber
from nightjar.metric_values import MetricsHook, MetricsReadError

START = datetime(2026, 11, 30, 12, tzinfo=UTC)
NEXT = START + timedelta(minutes=1)
QUERIES: Any = {"slow": ("AWS/ApplicationELB", "TargetResponseTime", {"TargetGroup": "t"}, "PR(0.035:)")}


@pytest.fixture
def cloudwatch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    client = boto3.client("cloudwatch", region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
    monkeypatch.setattr(nightjar.metric_values, "AwsBaseHook", lambda **_: SimpleNamespace(conn=client))
    with Stubber(client) as stubber:
        yield stubber


def answer(status: str, values: dict[datetime, float], **more: Any) -> dict[str, Any]:
    result = {"Id": "slow", "Timestamps": [*values], "Values": [*values.values()], "StatusCode": status}
    return {"MetricDataResults": [result], **more}


def read() -> dict[str, dict[datetime, float]]:
    return MetricsHook().minutes(QUERIES, START, NEXT + timedelta(minutes=1))


def test_the_rest_of_partial_data_is_on_the_next_page(cloudwatch: Stubber) -> None:
    cloudwatch.add_response("get_metric_data", answer("PartialData", {NEXT: 2.0}, NextToken="more"))
    cloudwatch.add_response("get_metric_data", answer("Complete", {START: 1.0}))
    assert read() == {"slow": {START: 1.0, NEXT: 2.0}}


@pytest.mark.parametrize("status", ["InternalError", "Forbidden"])
def test_a_metric_that_was_not_read_is_not_one_without_values(cloudwatch: Stubber, status: str) -> None:
    messages = [{"Code": "c", "Value": "try again"}]
    response = answer(status, {START: 1.0})
    response["MetricDataResults"][0]["Messages"] = messages
    cloudwatch.add_response("get_metric_data", response)
    with pytest.raises(MetricsReadError, match=rf"{status} for .*PR\(0\.035:\).*try again"):
        read()
