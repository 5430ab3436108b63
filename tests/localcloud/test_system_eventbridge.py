"""The provider's EventBridge operators: an event reaches a queue while its rule is enabled."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from tests.support.localcloud import ACCOUNT, Cloud
from tests.support.policed_roles import allow, document
from tests.support.system_runs import SystemRun

pytestmark = pytest.mark.stack
BUS, RULE = "system-bus", "system-rule"
EVENTS = f"arn:aws:events:us-east-1:{ACCOUNT}"


def target(cloud: Cloud) -> str:
    """A queue that the rule sends to; returns its URL."""
    sqs = cloud.client("sqs")
    url: str = sqs.create_queue(QueueName="system-events")["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:system-events"
    policy = document({**allow("sqs:SendMessage", arn), "Principal": {"Service": "events.amazonaws.com"}})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    cloud.client("events").put_targets(Rule=RULE, EventBusName=BUS, Targets=[{"Id": "queue", "Arn": arn}])
    return url


def test_an_event_reaches_the_queue_while_the_rule_is_enabled(
    cloud: Cloud, system_run: Callable[..., SystemRun]
) -> None:
    from airflow.providers.amazon.aws.operators import eventbridge as operators

    cloud.client("events").create_event_bus(Name=BUS)
    rule = [f"events:{name}" for name in ("PutRule", "EnableRule", "DisableRule")]
    run = system_run(allow("events:PutEvents", f"{EVENTS}:event-bus/{BUS}"), allow(rule, f"{EVENTS}:rule/{BUS}/{RULE}"))
    named = {"name": RULE, "event_bus_name": BUS}
    pattern = json.dumps({"source": ["nightjar.test"], "detail": {"rows": [{"numeric": [">", 10]}]}})
    run.execute(operators.EventBridgePutRuleOperator, event_pattern=pattern, state="DISABLED", **named)
    url = target(cloud)

    def send(rows: int) -> None:
        entry = {"Source": "nightjar.test", "DetailType": "loaded", "EventBusName": BUS}
        run.execute(operators.EventBridgePutEventsOperator, entries=[{**entry, "Detail": json.dumps({"rows": rows})}])

    send(11)
    run.execute(operators.EventBridgeEnableRuleOperator, **named)
    send(12)
    send(3)
    run.execute(operators.EventBridgeDisableRuleOperator, **named)
    send(13)
    found = cloud.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)["Messages"]
    [event] = [json.loads(message["Body"]) for message in found]
    assert (event["source"], event["detail-type"], event["detail"]) == ("nightjar.test", "loaded", {"rows": 12})
    with pytest.raises(ClientError, match="AccessDenied"):
        run.execute(
            operators.EventBridgePutEventsOperator, entries=[{"Source": "a", "DetailType": "b", "Detail": "{}"}]
        )
    cloud.client("sqs").delete_queue(QueueUrl=url)
