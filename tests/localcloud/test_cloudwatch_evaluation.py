"""How the datapoints of an alarm are judged: by the tables of CloudWatch's documentation, and by a clock."""

from __future__ import annotations

from typing import Any

import pytest

from infra.localcloud.cloudwatch import embedded_metrics
from infra.localcloud.cloudwatch.alarms import ALARM, INSUFFICIENT, OK, MetricAlarm
from infra.localcloud.cloudwatch.data import Datum, MetricIndex, MetricKey
from infra.localcloud.cloudwatch.evaluation import Point, Rule, Verdict, judge
from infra.localcloud.cloudwatch.evaluator import Evaluator

TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
KEEP = None


def state(text: str, to_alarm: int, missing: str) -> str | None:
    """The state for datapoints, oldest first: ``0`` is not breaching, ``X`` is, ``-`` is missing; 3 are evaluated."""
    values = {"0": 0.0, "X": 10.0, "-": None}
    points = [Point(number * 60, values[mark]) for number, mark in enumerate(text)]
    return judge(Rule("GreaterThanThreshold", 5, 3, to_alarm, missing), points).state


@pytest.mark.parametrize(
    ("points", "to_alarm", "states"),
    [
        ("0-X-X", 3, (OK, OK, OK, OK)),
        ("----0", 3, (OK, OK, OK, OK)),
        ("-----", 3, (INSUFFICIENT, KEEP, ALARM, OK)),
        ("0XX-X", 3, (ALARM, ALARM, ALARM, ALARM)),
        ("--X--", 3, (ALARM, KEEP, ALARM, OK)),
        ("0-X-X", 2, (ALARM, ALARM, ALARM, ALARM)),
        ("00X0X", 2, (ALARM, ALARM, ALARM, ALARM)),
        ("0-X--", 2, (OK, OK, ALARM, OK)),
        ("----0", 2, (OK, OK, ALARM, OK)),
        ("---X-", 2, (ALARM, KEEP, ALARM, OK)),
        ("XX000", 2, (OK, OK, OK, OK)),
        ("----X", 3, (KEEP, KEEP, ALARM, OK)),
    ],
)
def test_missing_datapoints_count_as_documented(points: str, to_alarm: int, states: tuple[str | None, ...]) -> None:
    assert tuple(state(points, to_alarm, missing) for missing in TREATMENTS) == states


@pytest.mark.parametrize(
    ("comparison", "breaching"),
    [
        ("GreaterThanThreshold", {6.0}),
        ("GreaterThanOrEqualToThreshold", {5.0, 6.0}),
        ("LessThanThreshold", {4.0}),
        ("LessThanOrEqualToThreshold", {4.0, 5.0}),
    ],
)
def test_comparisons(comparison: str, breaching: set[float]) -> None:
    rule = Rule(comparison, 5, 1, 1, "missing")
    assert {value for value in (4.0, 5.0, 6.0) if judge(rule, [Point(0, value)]).state == ALARM} == breaching


def test_the_reasons_are_cloudwatchs() -> None:
    rule = Rule("GreaterThanThreshold", 5, 2, 1, "breaching")
    crossed = judge(rule, [Point(0, 1.0), Point(60, 7.0)])
    assert crossed.reason == (
        "Threshold Crossed: 1 out of the last 2 datapoints [7.0 (01/01/70 00:01:00)] was greater than the threshold"
        " (5) (minimum 1 datapoint for OK -> ALARM transition)."
    )
    assert judge(rule, [Point(0, None), Point(60, None)]).reason == (
        "Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints were treated as"
        " [Breaching]."
    )


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 6000.0

    def __call__(self) -> float:
        return self.now


def configuration(**members: Any) -> dict[str, Any]:
    return {
        "AlarmName": "a", "Namespace": "N", "MetricName": "m", "Period": 60, "Statistic": "Sum",
        "ComparisonOperator": "GreaterThanThreshold", "Threshold": 5.0, "EvaluationPeriods": 1, **members,
    }  # fmt: skip


class Watched:
    """An evaluator of one alarm with a clock of its own."""

    def __init__(self, **members: Any) -> None:
        self.clock = Clock()
        self.index = MetricIndex()
        self.alarm = MetricAlarm("arn", configuration(**members), self.clock())
        self.evaluator = Evaluator(self.index, lambda: [self.alarm], self._change, self.clock)

    @staticmethod
    def _change(alarm: MetricAlarm, verdict: Verdict, now: float) -> None:
        alarm.set_state(str(verdict.state), verdict.reason, None, now)

    def put(self, value: float, *, ago: float = 30, name: str = "m") -> None:
        key = MetricKey("N", name, ())
        self.index.add([Datum(key, self.clock.now - ago, "None", (value,), (1.0,))])
        self.evaluator.arrived({key})

    def after(self, seconds: float) -> str:
        self.clock.now += seconds
        self.evaluator.step()
        return self.alarm.state


def test_an_alarm_follows_its_metric_period_by_period() -> None:
    watched = Watched()
    assert watched.after(0) == INSUFFICIENT
    watched.put(9)
    assert watched.after(0) == ALARM
    watched.put(1, ago=-10)
    assert watched.after(30) == ALARM, "the period of the new value is not over"
    assert watched.after(30) == OK
    assert watched.after(600) == INSUFFICIENT


def test_late_data_are_evaluated_when_they_arrive() -> None:
    watched = Watched()
    watched.put(1)
    assert watched.after(0) == OK
    watched.put(9)
    assert watched.after(1) == ALARM


def test_a_state_that_was_set_by_hand_lasts_until_the_next_period_ends() -> None:
    watched = Watched()
    watched.put(1)
    assert watched.after(0) == OK
    watched.alarm.set_state(ALARM, "by hand", None, watched.clock.now)
    assert watched.after(5) == ALARM
    assert watched.after(60) == OK


def test_metric_math_in_an_alarm() -> None:
    def stat(name: str) -> dict[str, Any]:
        return {"Metric": {"Namespace": "N", "MetricName": name}, "Period": 60, "Stat": "Sum"}

    queries = [
        {"Id": "errors", "MetricStat": stat("errors"), "ReturnData": False},
        {"Id": "requests", "MetricStat": stat("requests"), "ReturnData": False},
        {"Id": "rate", "Expression": "100*FILL(errors, 0)/MAX([requests,1])"},
    ]
    watched = Watched(Metrics=queries)
    watched.put(200, name="requests")
    assert watched.after(0) == OK
    watched.put(20, name="errors")
    assert watched.after(0) == ALARM


LINE = (
    '{"_aws": {"Timestamp": 1000, "CloudWatchMetrics": [{"Namespace": "N", "Dimensions": [["W"], ["W", "V"]],'
    ' "Metrics": [{"Name": "Latency", "Unit": "Milliseconds"}, {"Name": "Requests"}, {"Name": "Absent"}]}]},'
    ' "W": "flights", "V": "7", "Latency": {"Values": [1.5, 2], "Counts": [3, 1]}, "Requests": [4, 5]}'
)


def test_a_line_in_the_embedded_metric_format_is_metric_data() -> None:
    data = embedded_metrics.read(LINE)
    short, long = (("W", "flights"),), (("V", "7"), ("W", "flights"))
    assert data == [
        Datum(MetricKey("N", "Latency", short), 1.0, "Milliseconds", (1.5, 2.0), (3.0, 1.0)),
        Datum(MetricKey("N", "Latency", long), 1.0, "Milliseconds", (1.5, 2.0), (3.0, 1.0)),
        Datum(MetricKey("N", "Requests", short), 1.0, "None", (4.0, 5.0), (1.0, 1.0)),
        Datum(MetricKey("N", "Requests", long), 1.0, "None", (4.0, 5.0), (1.0, 1.0)),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "no JSON",
        '{"message": "plain"}',
        LINE.replace('"W": "flights"', '"other": "x"'),
        LINE.replace('"Counts": [3, 1]', '"Counts": [3]'),
        LINE.replace("[4, 5]", '"many"'),
        LINE.replace('"Timestamp": 1000, ', ""),
    ],
)
def test_another_line_is_none(line: str) -> None:
    assert embedded_metrics.read(line) == []
