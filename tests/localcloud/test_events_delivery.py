"""EventBridge: which events reach which targets, and with what."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.localcloud import ACCOUNT, REGION, Cloud

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def events(cloud: Cloud) -> Any:
    return cloud.client("events")


def arn(service: str, name: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{name}"


def queue(cloud: Cloud, name: str) -> str:
    return str(cloud.client("sqs").create_queue(QueueName=name)["QueueUrl"])


def bodies(cloud: Cloud, url: str) -> list[Any]:
    received = cloud.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(message["Body"]) for message in received]


def put(events: Any, source: str, **detail: Any) -> str:
    entry = {"Source": source, "DetailType": "made", "Detail": json.dumps(detail), "Resources": ["r"]}
    return str(events.put_events(Entries=[entry])["Entries"][0]["EventId"])


def test_an_event_reaches_queues_topics_and_log_groups(cloud: Cloud, events: Any) -> None:
    url, behind_topic = queue(cloud, "events-direct"), queue(cloud, "events-topic")
    sns, logs = cloud.client("sns"), cloud.client("logs")
    topic = sns.create_topic(Name="events")["TopicArn"]
    raw = {"RawMessageDelivery": "true"}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn("sqs", "events-topic"), Attributes=raw)
    logs.create_log_group(logGroupName="/events/all")
    events.put_rule(Name="all", EventPattern=json.dumps({"source": ["all"]}))
    targets = [arn("sqs", "missing"), arn("sqs", "events-direct"), topic, arn("logs", "log-group:/events/all")]
    events.put_targets(Rule="all", Targets=[{"Id": str(n), "Arn": target} for n, target in enumerate(targets)])
    identifier = put(events, "all", n=1)
    (event,) = bodies(cloud, url)
    assert event.pop("time").endswith("Z")
    assert event == {
        "version": "0",
        "id": identifier,
        "detail-type": "made",
        "source": "all",
        "account": ACCOUNT,
        "region": REGION,
        "resources": ["r"],
        "detail": {"n": 1},
    }
    assert [body["id"] for body in bodies(cloud, behind_topic)] == [identifier]
    (line,) = logs.filter_log_events(logGroupName="/events/all")["events"]
    assert json.loads(line["message"])["id"] == identifier


@pytest.mark.parametrize(
    ("pattern", "matching"),
    [
        ({"detail": {"n": [{"numeric": [">", 1, "<=", 3]}]}}, [2, 3]),
        ({"detail": {"n": [{"anything-but": [2, 3]}]}}, [1]),
        ({"detail": {"name": [{"prefix": "b"}]}}, [2]),
        ({"detail": {"name": [{"exists": False}]}}, [3]),
        ({"$or": [{"detail": {"n": [1]}}, {"detail": {"name": [{"suffix": "o"}]}}]}, [1, 2]),
        ({"resources": ["other"]}, []),
    ],
)
def test_a_pattern_selects_events(cloud: Cloud, events: Any, pattern: dict[str, Any], matching: list[int]) -> None:
    url = queue(cloud, "events-pattern")
    bodies(cloud, url)
    events.put_rule(Name="pattern", EventPattern=json.dumps({"source": ["pattern"], **pattern}))
    events.put_targets(Rule="pattern", Targets=[{"Id": "1", "Arn": arn("sqs", "events-pattern")}])
    for detail in ({"n": 1, "name": "anna"}, {"n": 2, "name": "bo"}, {"n": 3}):
        put(events, "pattern", **detail)
    assert sorted(event["detail"]["n"] for event in bodies(cloud, url)) == matching


def test_input_and_input_path_replace_the_event(cloud: Cloud, events: Any) -> None:
    url, target = queue(cloud, "events-input"), arn("sqs", "events-input")
    events.put_rule(Name="input", EventPattern=json.dumps({"source": ["input"]}))
    targets = [{"Id": "1", "Arn": target, "Input": '{"own": true}'}]
    targets += [{"Id": "2", "Arn": target, "InputPath": "$.detail.n"}]
    events.put_targets(Rule="input", Targets=targets)
    put(events, "input", n=[1])
    assert bodies(cloud, url) == [{"own": True}, [1]]


def test_disabled_rules_and_schedules_receive_nothing(cloud: Cloud, events: Any) -> None:
    url, target = queue(cloud, "events-off"), arn("sqs", "events-off")
    events.put_rule(Name="off", EventPattern=json.dumps({"source": ["off"]}), State="DISABLED")
    events.put_rule(Name="schedule", ScheduleExpression="rate(1 day)", State="DISABLED")
    for rule in ("off", "schedule"):
        events.put_targets(Rule=rule, Targets=[{"Id": "1", "Arn": target}])
    put(events, "off")
    assert bodies(cloud, url) == []
    events.enable_rule(Name="off")
    put(events, "off")
    assert len(bodies(cloud, url)) == 1


def test_functions_receive_the_starts_of_schedules_alone(events: Any) -> None:
    function = {"Id": "1", "Arn": arn("lambda", "function:f"), "Input": "{}"}
    events.put_rule(Name="refused", EventPattern=json.dumps({"source": ["refused"]}))
    with pytest.raises(ClientError, match=f"events are not delivered to {function['Arn']}"):
        events.put_targets(Rule="refused", Targets=[function])
    events.put_rule(Name="hourly", ScheduleExpression="rate(1 hour)")
    events.put_targets(Rule="hourly", Targets=[function])
    assert events.describe_rule(Name="hourly")["ScheduleExpression"] == "rate(1 hour)"


def test_a_schedule_that_is_not_evaluated_is_refused_by_name(events: Any) -> None:
    with pytest.raises(ClientError, match="'L' is not evaluated"):
        events.put_rule(Name="last", ScheduleExpression="cron(0 6 L * ? *)")


def test_each_entry_is_accepted_or_rejected_on_its_own(events: Any) -> None:
    good = {"Source": "s", "DetailType": "t", "Detail": "{}"}
    answer = events.put_events(Entries=[good, {**good, "Detail": "["}, {**good, "Source": ""}])
    assert answer["FailedEntryCount"] == 2
    assert [entry.get("ErrorCode") for entry in answer["Entries"]] == [None, "MalformedDetail", "InvalidArgument"]
