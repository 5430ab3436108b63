"""Every alarm of ``infra/definitions/alarms.yaml`` goes off, is told, and is over: with the periods of production and a
clock of the test's own, and as its drill's copy on a local cloud, through SNS to the inbox."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.laptop.aws import Aws
from infra.laptop.bootstrap import inbox
from infra.laptop.bootstrap.alarms import Dimensions, read, request
from infra.laptop.bootstrap.data import ALERTS_TOPIC
from infra.laptop.drills import scratch
from infra.laptop.inbox.open_alarms import open_alarms
from infra.laptop.inbox.store import Inbox
from infra.localcloud.cloudwatch.alarms import ALARM, OK, MetricAlarm
from infra.localcloud.cloudwatch.data import MetricIndex, MetricKey
from infra.localcloud.cloudwatch.evaluation import Verdict
from infra.localcloud.cloudwatch.evaluator import Evaluator
from tests.support.alarm_values import data, metric_alarm, values
from tests.support.applied_root import laptop_clients
from tests.support.localcloud import Cloud, base_config, running_cloud

pytestmark = pytest.mark.stack

ALARMS = read("flights", "nightjar-flights", Dimensions("app/nightjar/1", "targetgroup/nightjar-flights/1"))
MIDNIGHT = 1_800_000_000 // 86_400 * 86_400.0


class Watched:
    """The real evaluator with one alarm, and a clock that the test moves by whole periods."""

    def __init__(self, alarm: MetricAlarm) -> None:
        self.now, self.alarm, self.index = MIDNIGHT, alarm, MetricIndex()
        self.evaluator = Evaluator(self.index, lambda: [alarm], self._change, lambda: self.now)

    @staticmethod
    def _change(alarm: MetricAlarm, verdict: Verdict, now: float) -> None:
        alarm.set_state(str(verdict.state), verdict.reason, None, now)

    def periods(self, count: int, chosen: dict[MetricKey, float]) -> str:
        """Lets periods pass in which the metrics have these values; returns the state then."""
        for _ in range(count):
            self.index.add(data(chosen, [self.now + 1]))
            self.now += self.alarm.period
            self.evaluator.step()
        return self.alarm.state


@pytest.mark.parametrize("name", ALARMS.metric)
def test_it_goes_off_after_as_many_periods_as_defined_and_ends(name: str) -> None:
    alarm = metric_alarm(request(ALARMS.metric[name]), MIDNIGHT)
    good, bad = values(alarm, breaching=False), values(alarm, breaching=True)
    watched, rule = Watched(alarm), alarm.rule
    assert watched.periods(rule.periods, good) == OK
    assert watched.periods(rule.to_alarm - 1, bad) == OK, "too early"
    assert watched.periods(1, bad) == ALARM
    assert watched.periods(rule.periods, good) == OK


@pytest.mark.parametrize("name", ALARMS.metric)
def test_its_silence_means_what_is_defined(name: str) -> None:
    alarm = metric_alarm(request(ALARMS.metric[name]), MIDNIGHT)
    watched = Watched(alarm)
    watched.periods(alarm.rule.periods, values(alarm, breaching=True))
    silent = watched.periods(alarm.rule.periods + 2, {})
    assert silent == (ALARM if ALARMS.metric[name]["TreatMissingData"] == "breaching" else OK)


@dataclass
class Stack:
    """A local cloud with the topic, and the inbox of a run folder."""

    aws: Aws
    box: Inbox

    def put(self, copies: scratch.Copies, minutes_ago: int, *, breaching: bool) -> float:
        """Puts data of all parts into a minute that has passed; returns when the present minute began."""
        minute = _minute()
        moment = minute - 60 * minutes_ago + 5
        for members in copies.metric:
            for metric, value in values(metric_alarm(members), breaching=breaching).items():
                datum: dict[str, Any] = {
                    "MetricName": metric.name,
                    "Dimensions": [{"Name": key, "Value": text} for key, text in metric.dimensions],
                    "Timestamp": moment,
                    "Value": value,
                }
                self.aws.cloudwatch.put_metric_data(Namespace=metric.namespace, MetricData=[datum])
        return minute

    def told(self, copies: scratch.Copies) -> list[str]:
        """The states of which a person was told, the oldest first."""
        messages = reversed(self.box.collect())
        return [one.alarm.state for one in messages if one.alarm and one.alarm.name == copies.tells]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("alarms")
    with running_cloud(folder, base_config()) as cloud:
        config, aws = laptop_clients(cloud, folder / "laptop")
        aws.sns.create_topic(Name=ALERTS_TOPIC)
        inbox.create(aws)
        yield Stack(aws, Inbox(aws, config.state))


def wait(stack: Stack, alarm: str, state: str) -> str:
    """Waits for an alarm's state; returns the reason."""

    def reached() -> str | None:
        found = scratch.state(stack.aws, alarm)
        return str(found["StateReason"]) if found["StateValue"] == state else None

    return str(Cloud.wait_until(reached))


def wait_until_well(stack: Stack, copies: scratch.Copies, minute: float) -> None:
    """Waits until the good data of three minutes before were seen; when another minute begins they are too old."""

    def reached() -> bool:
        nonlocal minute
        if _minute() != minute:
            minute = stack.put(copies, 3, breaching=False)
        return bool(scratch.state(stack.aws, copies.watched)["StateValue"] == "OK")

    Cloud.wait_until(reached)


def _minute() -> float:
    return time.time() // 60 * 60


@pytest.mark.parametrize("name", [*ALARMS.metric, *ALARMS.composite])
def test_its_drill_is_told_when_it_goes_off_and_when_it_is_over(stack: Stack, name: str) -> None:
    # A workload for each alarm, because some look at the same metric.
    own = read(f"of-{name}", f"of-{name}", Dimensions("app/nightjar/1", f"targetgroup/of-{name}/1"))
    copies = scratch.of(own, name)
    minute = stack.put(copies, 3, breaching=False)
    with scratch.existing(stack.aws, copies):
        wait_until_well(stack, copies, minute)
        stack.put(copies, 2, breaching=True)
        assert wait(stack, copies.watched, "ALARM")
        assert copies.watched in {alarm.name for alarm in open_alarms(stack.aws)}
        stack.put(copies, 1, breaching=False)
        wait(stack, copies.watched, "OK")
        Cloud.wait_until(lambda: stack.told(copies)[-2:] == ["ALARM", "OK"])
        (message,) = [one for one in stack.box.kept() if one.alarm and one.alarm.state == "ALARM"][:1]
        assert message.runbook and Path(message.runbook).is_file() and "DRILL" in message.text
    assert open_alarms(stack.aws) == []
