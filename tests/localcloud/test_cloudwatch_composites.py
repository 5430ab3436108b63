"""Composite alarms: their rules, and their states and messages through real clients."""

from __future__ import annotations

import json
import signal
import uuid
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.localcloud.actions import AwsError
from infra.localcloud.cloudwatch.rule_expression import parse
from tests.support.alerts import Alerts
from tests.support.localcloud import ACCOUNT, REGION, Cloud
from tests.support.restarts import RestartedCloud

STATES = {"a": "ALARM", "b": "OK", "c d": "INSUFFICIENT_DATA"}


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ("ALARM(a)", True),
        ('ALARM("a")', True),
        ("ALARM(b)", False),
        ("OK(b)", True),
        ('INSUFFICIENT_DATA("c d")', True),
        ("ALARM(arn:aws:cloudwatch:us-east-1:123456789012:alarm:a)", True),
        ("ALARM(b) OR ALARM(a)", True),
        ("ALARM(b) AND ALARM(a)", False),
        ("NOT ALARM(b) AND ALARM(a)", True),
        ("NOT (ALARM(b) OR ALARM(a))", False),
        ("ALARM(a) OR ALARM(b) AND ALARM(b)", True),
        ("(ALARM(a) OR ALARM(b)) AND ALARM(b)", False),
        ("TRUE AND NOT FALSE", True),
        ("alarm(a) and not false", True),
    ],
)
def test_a_rule_holds_for_the_states_of_its_alarms(rule: str, holds: bool) -> None:
    assert parse(rule).holds(STATES) is holds


@pytest.mark.parametrize(
    "rule", ["", "ALARM", "ALARM()", "ALARM(a", "ALARM(a) ALARM(b)", "ALARM(a) OR", "a", "ALARM(a,b)", 'ALARM("a)']
)
def test_a_rule_that_is_not_well_formed_is_rejected(rule: str) -> None:
    with pytest.raises(AwsError, match="The alarm rule is not valid"):
        parse(rule)


def test_what_would_not_be_evaluated_is_refused_by_name() -> None:
    with pytest.raises(NotImplementedError, match="AT_LEAST"):
        parse("AT_LEAST(1, ALARM, (a, b))")


def part(name: str) -> dict[str, Any]:
    """An alarm whose state only SetAlarmState changes, and that tells nobody."""
    return {
        "AlarmName": name, "Namespace": "Composites", "MetricName": name, "Period": 60, "Statistic": "Sum",
        "ComparisonOperator": "GreaterThanThreshold", "Threshold": 5.0, "EvaluationPeriods": 1,
        "TreatMissingData": "ignore",
    }  # fmt: skip


class Parts:
    """Two alarms, and a composite alarm of them that publishes to a topic."""

    def __init__(self, cloud: Cloud, *, rule: str = 'ALARM("{a}") OR ALARM("{b}")') -> None:
        self.client = cloud.client("cloudwatch")
        unique = uuid.uuid4().hex[:6]
        self.a, self.b, self.name = f"a-{unique}", f"b-{unique}", f"composite-{unique}"
        self.topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:{self.name}"
        self.alerts = Alerts(cloud, self.topic)
        for name in (self.a, self.b):
            self.client.put_metric_alarm(**part(name))
            self.set(name, "OK")
        actions = {"AlarmActions": [self.topic], "OKActions": [self.topic]}
        self.client.put_composite_alarm(AlarmName=self.name, AlarmRule=rule.format(a=self.a, b=self.b), **actions)

    def set(self, name: str, state: str) -> None:
        self.client.set_alarm_state(AlarmName=name, StateValue=state, StateReason="a test")

    @property
    def described(self) -> dict[str, Any]:
        answer = self.client.describe_alarms(AlarmNames=[self.name], AlarmTypes=["CompositeAlarm"])
        (found,) = answer["CompositeAlarms"]
        assert answer["MetricAlarms"] == []
        return dict(found)

    def messages(self, cloud: Cloud, count: int) -> list[dict[str, Any]]:
        """The messages, once there are so many."""
        cloud.wait_until(lambda: len(self.alerts.received()) >= count)
        return [json.loads(one["Message"]) for one in self.alerts.received()]


@pytest.mark.stack
def test_two_parts_that_go_off_are_one_message_and_both_must_be_over_for_the_next(cloud: Cloud) -> None:
    parts = Parts(cloud)
    assert parts.described["StateValue"] == "OK"
    parts.set(parts.a, "ALARM")
    parts.set(parts.b, "ALARM")
    parts.set(parts.a, "OK")
    assert parts.described["StateValue"] == "ALARM"
    parts.set(parts.b, "OK")
    first, alarm, over = parts.messages(cloud, 3)
    assert (first["OldStateValue"], first["NewStateValue"]) == ("INSUFFICIENT_DATA", "OK")
    assert (alarm["OldStateValue"], alarm["NewStateValue"]) == ("OK", "ALARM")
    assert f":alarm:{parts.a} transitioned to ALARM at " in alarm["NewStateReason"]
    assert alarm["AlarmRule"] == f'ALARM("{parts.a}") OR ALARM("{parts.b}")' and "Trigger" not in alarm
    (child,) = alarm["TriggeringChildren"]
    assert child["Arn"].endswith(parts.a) and child["State"]["Value"] == "ALARM"
    assert (over["OldStateValue"], over["NewStateValue"]) == ("ALARM", "OK")
    kinds = parts.client.describe_alarm_history(AlarmName=parts.name, AlarmTypes=["CompositeAlarm"])
    assert {item["AlarmType"] for item in kinds["AlarmHistoryItems"]} == {"CompositeAlarm"}
    assert parts.client.describe_alarm_history(AlarmName=parts.name)["AlarmHistoryItems"] == []


@pytest.mark.stack
def test_a_composite_alarm_follows_a_composite_alarm(cloud: Cloud) -> None:
    parts = Parts(cloud)
    outer = f"outer-{parts.name}"
    parts.client.put_composite_alarm(AlarmName=outer, AlarmRule=f"NOT OK({parts.name})")
    parts.set(parts.b, "ALARM")
    found = parts.client.describe_alarms(AlarmTypes=["CompositeAlarm"], StateValue="ALARM")["CompositeAlarms"]
    assert {parts.name, outer} <= {alarm["AlarmName"] for alarm in found}
    with pytest.raises(ClientError, match="depends on itself"):
        parts.client.put_composite_alarm(AlarmName=parts.name, AlarmRule=f"ALARM({outer})")


@pytest.mark.stack
def test_a_part_is_not_deleted_before_what_depends_on_it(cloud: Cloud) -> None:
    parts = Parts(cloud)
    with pytest.raises(
        ClientError, match=rf"Cannot delete {parts.a} as there are composite alarm\(s\) depending on it"
    ):
        parts.client.delete_alarms(AlarmNames=[parts.a])
    parts.client.delete_alarms(AlarmNames=[parts.name])
    parts.client.delete_alarms(AlarmNames=[parts.a, parts.b])
    names = [parts.name, parts.a, parts.b]
    left = parts.client.describe_alarms(AlarmNames=names, AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    assert left["MetricAlarms"] == left["CompositeAlarms"] == []


@pytest.mark.stack
@pytest.mark.parametrize(
    ("members", "text"),
    [
        ({"AlarmRule": "ALARM(never-was)"}, r"alarms \[never-was\] in the alarm rule do not exist"),
        ({"AlarmRule": "ALARM("}, "The alarm rule is not valid"),
        ({"AlarmRule": "TRUE", "ActionsSuppressor": "x"}, "actions are not suppressed"),
        ({"AlarmRule": "TRUE", "AlarmActions": ["arn:aws:lambda:us-east-1:1:function:f"]}, "publish to SNS topics"),
    ],
)
def test_what_cloudwatch_rejects_or_would_not_be_done_here_is_refused(
    cloud: Cloud, members: dict[str, Any], text: str
) -> None:
    with pytest.raises(ClientError, match=text):
        cloud.client("cloudwatch").put_composite_alarm(AlarmName="refused", **members)


@pytest.mark.stack
def test_a_composite_alarm_survives_a_kill_and_goes_on(tmp_path: Path) -> None:
    with RestartedCloud(tmp_path) as running:
        parts = Parts(running.cloud)
        parts.set(parts.a, "ALARM")
        before = parts.described
        cloud = running.restart(signal.SIGKILL)
        parts.client = cloud.client("cloudwatch")
        assert parts.described == before
        parts.set(parts.a, "OK")
        assert parts.described["StateValue"] == "OK"
