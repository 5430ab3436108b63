"""CloudWatch: filter patterns of log events, and statistics of metrics."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.localcloud.cloudwatchlogs.patterns import FilterPattern
from tests.support.localcloud import Cloud

MESSAGES = ["ERROR one", "warn two", "INFO ERROR three", "error lower", 'say "hi"']


@pytest.mark.parametrize(
    ("pattern", "matching"),
    [
        ("", [0, 1, 2, 3, 4]),
        ("ERROR", [0, 2]),
        ('"ERROR one"', [0]),
        ("ERROR INFO", [2]),
        ("?ERROR ?warn", [0, 1, 2]),
        ("ERROR -one", [2]),
        ("-ERROR", [1, 3, 4]),
        ("ERROR ?warn", [0, 2]),
        (r'"say \"hi"', [4]),
    ],
)
def test_a_pattern_of_terms_selects_messages(pattern: str, matching: list[int]) -> None:
    compiled = FilterPattern.of(pattern)
    assert [number for number, message in enumerate(MESSAGES) if compiled.matches(message)] == matching


@pytest.mark.stack
@pytest.mark.parametrize(
    ("pattern", "code", "message"),
    [
        ('{ $.level = "error" }', "NotImplementedException", "JSON fields are not evaluated"),
        ("[a, b]", "NotImplementedException", "space-delimited fields are not evaluated"),
        ("%ERR.*%", "NotImplementedException", "regular expressions are not evaluated"),
        ("two-words", "InvalidParameterException", "term 'two-words'"),
    ],
)
def test_a_pattern_that_is_not_evaluated_is_refused(cloud: Cloud, pattern: str, code: str, message: str) -> None:
    logs = cloud.client("logs")
    if not logs.describe_log_groups(logGroupNamePrefix="/patterns")["logGroups"]:
        logs.create_log_group(logGroupName="/patterns")
        logs.create_log_stream(logGroupName="/patterns", logStreamName="s")
        events = [{"timestamp": int(datetime.now(UTC).timestamp() * 1000), "message": "m"}]
        logs.put_log_events(logGroupName="/patterns", logStreamName="s", logEvents=events)
    with pytest.raises(ClientError, match=message) as caught:
        logs.filter_log_events(logGroupName="/patterns", filterPattern=pattern)
    assert caught.value.response["Error"]["Code"] == code


@pytest.fixture(scope="module")
def metric(cloud: Cloud) -> Any:
    """A client, after values 1, 2, 3 in one minute and 10 in the next were put with a dimension."""
    client = cloud.client("cloudwatch")
    dimensions = [{"Name": "d", "Value": "x"}]
    for second, value in ((10, 1), (30, 2), (50, 3), (70, 10)):
        moment = BEGIN + timedelta(seconds=second)
        datum = {"MetricName": "m", "Value": value, "Timestamp": moment, "Dimensions": dimensions}
        client.put_metric_data(Namespace="N", MetricData=[datum])
    more = [*dimensions, {"Name": "e", "Value": "y"}]
    other = {"MetricName": "m", "Value": 100, "Timestamp": BEGIN, "Dimensions": more}
    client.put_metric_data(Namespace="N", MetricData=[other])
    return client


BEGIN = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=20)
BETWEEN = {"StartTime": BEGIN, "EndTime": BEGIN + timedelta(minutes=5)}
EXACT = [{"Name": "d", "Value": "x"}]


@pytest.mark.stack
def test_statistics_are_those_of_one_metric_in_aligned_periods(metric: Any) -> None:
    asked = {**BETWEEN, "Namespace": "N", "MetricName": "m", "Period": 60, "Statistics": ["Sum", "SampleCount"]}
    points = metric.get_metric_statistics(Dimensions=EXACT, **asked)["Datapoints"]
    found = [(point["Timestamp"], point["Sum"], point["SampleCount"]) for point in points]
    assert found == [(BEGIN, 6.0, 3.0), (BEGIN + timedelta(minutes=1), 10.0, 1.0)]
    assert metric.get_metric_statistics(**asked)["Datapoints"] == []


def query(dimensions: list[dict[str, str]], stat: str, **more: Any) -> dict[str, Any]:
    metric = {"Namespace": "N", "MetricName": "m", "Dimensions": dimensions}
    return {"Id": "q", "MetricStat": {"Metric": metric, "Period": 60, "Stat": stat}, **more}


@pytest.mark.stack
@pytest.mark.parametrize(
    ("dimensions", "stat", "values"),
    [(EXACT, "Sum", [10.0, 6.0]), (EXACT, "Average", [10.0, 2.0]), (EXACT, "Maximum", [10.0, 3.0]), ([], "Sum", [])],
)
def test_metric_data_are_those_of_one_metric(
    metric: Any, dimensions: list[dict[str, str]], stat: str, values: list[float]
) -> None:
    answer = metric.get_metric_data(MetricDataQueries=[query(dimensions, stat)], **BETWEEN)
    assert answer["MetricDataResults"][0]["Values"] == values


@pytest.mark.stack
def test_percentiles_and_metric_math_are_computed(metric: Any) -> None:
    asked = [query(EXACT, "p50", ReturnData=False), {"Id": "double", "Expression": "q * 2"}]
    answer = metric.get_metric_data(MetricDataQueries=asked, ScanBy="TimestampAscending", **BETWEEN)
    assert [(result["Id"], result["Values"]) for result in answer["MetricDataResults"]] == [("double", [4.0, 20.0])]


@pytest.mark.stack
@pytest.mark.parametrize("asked", [query(EXACT, "tm90"), {"Id": "x", "Expression": "SEARCH('m')"}])
def test_what_is_not_computed_is_refused(metric: Any, asked: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as caught:
        metric.get_metric_data(MetricDataQueries=[asked], **BETWEEN)
    assert caught.value.response["Error"]["Code"] == "NotImplementedException"
