"""Alarms through real clients: their API, their messages to SNS topics, metrics in log lines, and a restart."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.localcloud import ACCOUNT, REGION, Cloud
from tests.support.policed_roles import allow, document
from tests.support.restarts import RestartedCloud

pytestmark = pytest.mark.stack


def alarm(name: str, **members: Any) -> dict[str, Any]:
    """The members of an alarm on the average of a metric of the same name."""
    return {
        "AlarmName": name, "Namespace": "Alarms", "MetricName": name, "Period": 60, "Statistic": "Average",
        "ComparisonOperator": "GreaterThanThreshold", "Threshold": 5.0, "EvaluationPeriods": 1, **members,
    }  # fmt: skip


def put(cloud: Cloud, name: str, *values: float) -> None:
    """Puts values of the metric into the last whole minute."""
    moment = datetime.now(UTC).replace(second=30, microsecond=0) - timedelta(minutes=1)
    datum = {"MetricName": name, "Values": list(values), "Timestamp": moment}
    cloud.client("cloudwatch").put_metric_data(Namespace="Alarms", MetricData=[datum])


def described(cloud: Cloud, name: str) -> dict[str, Any]:
    found: dict[str, Any] = cloud.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
    return found


def wait_for(cloud: Cloud, name: str, state: str) -> dict[str, Any]:
    def reached() -> dict[str, Any] | None:
        found = described(cloud, name)
        return found if found["StateValue"] == state else None

    found: dict[str, Any] = cloud.wait_until(reached)
    return found


class Inbox:
    """A topic with a queue that is subscribed to it."""

    def __init__(self, cloud: Cloud, name: str) -> None:
        self._sqs = cloud.client("sqs")
        self.queue = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        self.topic = cloud.client("sns").create_topic(Name=name)["TopicArn"]
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
        cloud.client("sns").subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arn)

    def next(self) -> dict[str, Any]:
        """The next notification; fails if none comes."""
        for _ in range(3):
            got = self._sqs.receive_message(QueueUrl=self.queue, WaitTimeSeconds=20).get("Messages", [])
            if got:
                self._sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=got[0]["ReceiptHandle"])
                body: dict[str, Any] = json.loads(got[0]["Body"])
                return body
        raise AssertionError("no message arrived")

    def is_empty(self) -> bool:
        return not self._sqs.receive_message(QueueUrl=self.queue).get("Messages")


@pytest.fixture(scope="module")
def inbox(cloud: Cloud) -> Inbox:
    return Inbox(cloud, "alarms")


def test_an_alarm_notifies_when_it_goes_off_and_when_it_is_over(cloud: Cloud, inbox: Inbox) -> None:
    client = cloud.client("cloudwatch")
    actions = {"AlarmActions": [inbox.topic], "OKActions": [inbox.topic], "AlarmDescription": "See the runbook."}
    put(cloud, "errors", 10.0)
    client.put_metric_alarm(**alarm("errors", **actions, Dimensions=[]))
    notification = inbox.next()
    assert notification["Subject"] == 'ALARM: "errors" in US East (N. Virginia)'
    message = json.loads(notification["Message"])
    assert (message["OldStateValue"], message["NewStateValue"]) == ("INSUFFICIENT_DATA", "ALARM")
    assert message["NewStateReason"].startswith("Threshold Crossed: 1 out of the last 1 datapoints [10.0 (")
    assert message["AlarmDescription"] == "See the runbook."
    assert message["Trigger"]["Statistic"] == "AVERAGE" and message["Trigger"]["Threshold"] == 5.0
    put(cloud, "errors", 0.0, 0.0, 0.0)
    assert json.loads(inbox.next()["Message"])["NewStateValue"] == "OK"
    assert wait_for(cloud, "errors", "OK")["StateReason"].startswith("Threshold Crossed: 1 out of")
    kinds = [item["HistoryItemType"] for item in client.describe_alarm_history(AlarmName="errors")["AlarmHistoryItems"]]
    assert sorted(kinds) == ["Action", "Action", "ConfigurationUpdate", "StateUpdate", "StateUpdate"]


def test_a_percentile_and_metric_math_go_off(cloud: Cloud) -> None:
    client = cloud.client("cloudwatch")
    put(cloud, "latency", *[1.0] * 90, *[100.0] * 10)
    percentile = alarm("latency", Threshold=50.0)
    del percentile["Statistic"]
    client.put_metric_alarm(**{**percentile, "AlarmName": "p50", "ExtendedStatistic": "p50"})
    client.put_metric_alarm(**{**percentile, "AlarmName": "p95", "ExtendedStatistic": "p95"})
    queries: list[dict[str, Any]] = [
        {
            "Id": "worst",
            "MetricStat": {
                "Metric": {"Namespace": "Alarms", "MetricName": "latency"}, "Period": 60, "Stat": "Maximum",
            },
            "ReturnData": False,
        },
        {"Id": "tenth", "Expression": "worst / 10", "Label": "a tenth"},
    ]  # fmt: skip
    judged = {"ComparisonOperator": "GreaterThanOrEqualToThreshold", "Threshold": 10, "EvaluationPeriods": 1}
    client.put_metric_alarm(AlarmName="math", Metrics=queries, **judged)
    for name, state in (("p50", "OK"), ("p95", "ALARM"), ("math", "ALARM")):
        wait_for(cloud, name, state)
    metrics = described(cloud, "math")["Metrics"]
    assert metrics[0] | {"MetricStat": None} == queries[0] | {"MetricStat": None}
    assert metrics[1] == {**queries[1], "ReturnData": True}


def test_a_state_set_by_hand_acts_unless_actions_are_off(cloud: Cloud, inbox: Inbox) -> None:
    client = cloud.client("cloudwatch")
    client.put_metric_alarm(**alarm("by-hand", AlarmActions=[inbox.topic], TreatMissingData="ignore"))
    client.disable_alarm_actions(AlarmNames=["by-hand"])
    assert not described(cloud, "by-hand")["ActionsEnabled"]
    test = {"AlarmName": "by-hand", "StateReason": "a test"}
    client.set_alarm_state(**test, StateValue="ALARM")
    client.set_alarm_state(**test, StateValue="OK")
    client.enable_alarm_actions(AlarmNames=["by-hand"])
    client.set_alarm_state(**test, StateValue="ALARM")
    assert json.loads(inbox.next()["Message"])["NewStateReason"] == "a test"
    assert inbox.is_empty()


def test_a_topic_whose_policy_does_not_let_cloudwatch_in_gets_nothing(cloud: Cloud) -> None:
    closed = Inbox(cloud, "closed-topic")
    only = allow("sns:Publish", closed.topic, Principal={"Service": "events.amazonaws.com"})
    cloud.client("sns").set_topic_attributes(
        TopicArn=closed.topic, AttributeName="Policy", AttributeValue=document(only)
    )
    client = cloud.client("cloudwatch")
    client.put_metric_alarm(**alarm("unheard", AlarmActions=[closed.topic], TreatMissingData="breaching"))

    def failed() -> Any:
        items = client.describe_alarm_history(AlarmName="unheard", HistoryItemType="Action")["AlarmHistoryItems"]
        return items and json.loads(items[0]["HistoryData"])

    data = cloud.wait_until(failed)
    assert data["actionState"] == "Failed"
    assert "cloudwatch.amazonaws.com is not authorized to perform: sns:Publish" in data["error"]
    assert closed.is_empty()
    key = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    encrypted = Inbox(cloud, "encrypted-topic")
    cloud.client("sns").set_topic_attributes(
        TopicArn=encrypted.topic, AttributeName="KmsMasterKeyId", AttributeValue=key
    )
    client.put_metric_alarm(**alarm("unheard", AlarmActions=[encrypted.topic], TreatMissingData="breaching"))
    client.set_alarm_state(AlarmName="unheard", StateValue="OK", StateReason="again")
    client.set_alarm_state(AlarmName="unheard", StateValue="ALARM", StateReason="again")
    cloud.wait_until(lambda: "kms:GenerateDataKey" in failed()["error"])


def test_alarms_are_found_tagged_and_deleted(cloud: Cloud) -> None:
    client = cloud.client("cloudwatch")
    tags = [{"Key": "workload", "Value": "flights"}]
    client.put_metric_alarm(**alarm("found-1", Tags=tags, AlarmActions=[f"arn:aws:sns:{REGION}:{ACCOUNT}:t"]))
    client.put_metric_alarm(**alarm("found-2"))
    arn = described(cloud, "found-1")["AlarmArn"]
    assert client.list_tags_for_resource(ResourceARN=arn)["Tags"] == tags
    client.put_metric_alarm(**alarm("found-1", Threshold=7.0))
    assert described(cloud, "found-1")["Threshold"] == 7.0
    assert client.list_tags_for_resource(ResourceARN=arn)["Tags"] == tags

    def names(**filters: Any) -> list[str]:
        pages = client.get_paginator("describe_alarms").paginate(**filters, PaginationConfig={"PageSize": 1})
        return [one["AlarmName"] for page in pages for one in page["MetricAlarms"]]

    assert names(AlarmNamePrefix="found-") == ["found-1", "found-2"]
    assert names(AlarmNamePrefix="found-", ActionPrefix="arn:aws:sns") == []
    assert names(AlarmNamePrefix="found-", AlarmTypes=["CompositeAlarm"]) == []
    of_metric = client.describe_alarms_for_metric(Namespace="Alarms", MetricName="found-2")["MetricAlarms"]
    assert [one["AlarmName"] for one in of_metric] == ["found-2"]
    client.delete_alarms(AlarmNames=["found-1", "found-2", "never-was"])
    assert names(AlarmNamePrefix="found-") == []


@pytest.mark.parametrize(
    ("members", "code", "text"),
    [
        ({"Statistic": None, "ExtendedStatistic": "tm90"}, "NotImplementedException", "statistic tm90"),
        ({"AlarmActions": ["arn:aws:swf:us-east-1:1:action/x"]}, "NotImplementedException", "arn:aws:swf"),
        ({"ComparisonOperator": "GreaterThanUpperThreshold"}, "NotImplementedException", "anomaly detection"),
        ({"EvaluateLowSampleCountPercentile": "ignore"}, "NotImplementedException", "percentiles of few values"),
        ({"Period": 45}, "ValidationError", "multiple of 60"),
        ({"DatapointsToAlarm": 2}, "ValidationError", "DatapointsToAlarm"),
        ({"EvaluationPeriods": 2000}, "ValidationError", "more than a day"),
        ({"Statistic": None}, "ValidationError", "Exactly one of"),
        ({"TreatMissingData": "forget"}, "ValidationError", "forget"),
        ({"Metrics": [{"Id": "e", "Expression": "1"}]}, "ValidationError", "mutually exclusive"),
    ],
)
def test_what_would_not_be_evaluated_is_refused(cloud: Cloud, members: Any, code: str, text: str) -> None:
    given = {name: value for name, value in alarm("refused", **members).items() if value is not None}
    with pytest.raises(ClientError, match=text) as caught:
        cloud.client("cloudwatch").put_metric_alarm(**given)
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"].get("RetryAttempts", 0) == 0


def test_unknown_math_is_refused_by_name(cloud: Cloud) -> None:
    client = cloud.client("cloudwatch")
    judged = {"ComparisonOperator": "GreaterThanThreshold", "Threshold": 1, "EvaluationPeriods": 1}
    with pytest.raises(ClientError, match=r"SEARCH of metric math is not evaluated") as caught:
        client.put_metric_alarm(
            AlarmName="searching",
            Metrics=[{"Id": "s", "Expression": "SEARCH('{N} m', 'Sum', 60)", "Period": 60}],
            **judged,
        )
    assert caught.value.response["Error"]["Code"] == "NotImplementedException"


def test_lines_in_the_embedded_metric_format_become_metrics(cloud: Cloud) -> None:
    logs, client = cloud.client("logs"), cloud.client("cloudwatch")
    logs.create_log_group(logGroupName="/emf")
    logs.create_log_stream(logGroupName="/emf", logStreamName="s")
    now = int(time.time() * 1000)
    directive = {"Namespace": "Emf", "Dimensions": [["Workload"]], "Metrics": [{"Name": "Requests"}]}
    line = {"_aws": {"Timestamp": now, "CloudWatchMetrics": [directive]}, "Workload": "flights", "Requests": 12}
    events = [{"timestamp": now, "message": text} for text in (json.dumps(line), "plain text")]
    logs.put_log_events(logGroupName="/emf", logStreamName="s", logEvents=events)
    found = client.get_metric_statistics(
        Namespace="Emf",
        MetricName="Requests",
        Dimensions=[{"Name": "Workload", "Value": "flights"}],
        StartTime=datetime.now(UTC) - timedelta(minutes=5),
        EndTime=datetime.now(UTC) + timedelta(minutes=1),
        Period=60,
        Statistics=["Sum"],
        ExtendedStatistics=["p50"],
    )["Datapoints"]
    assert [(point["Sum"], point["ExtendedStatistics"]) for point in found] == [(12.0, {"p50": 12.0})]


@pytest.fixture
def restarted(tmp_path: Path) -> Iterator[RestartedCloud]:
    with RestartedCloud(tmp_path) as running:
        yield running


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_alarms_survive_and_go_on(restarted: RestartedCloud, number: signal.Signals) -> None:
    cloud = restarted.cloud
    inbox = Inbox(cloud, "alarms")
    client = cloud.client("cloudwatch")
    put(cloud, "lasting", 10.0)
    tags = [{"Key": "a", "Value": "b"}]
    client.put_metric_alarm(**alarm("lasting", OKActions=[inbox.topic], Tags=tags))
    before = wait_for(cloud, "lasting", "ALARM")
    history = client.describe_alarm_history()["AlarmHistoryItems"]
    cloud = restarted.restart(number)
    client = cloud.client("cloudwatch")
    assert described(cloud, "lasting") == before
    assert client.describe_alarm_history()["AlarmHistoryItems"] == history
    assert client.list_tags_for_resource(ResourceARN=before["AlarmArn"])["Tags"] == tags
    put(cloud, "lasting", 0.0, 0.0, 0.0)
    assert json.loads(Inbox(cloud, "alarms").next()["Message"])["NewStateValue"] == "OK"
