"""The short copies of alarms, and values beyond a threshold."""

from __future__ import annotations

import pytest

from include.workloads import FieldSpec
from infra.laptop.bootstrap.alarms import Dimensions, read
from infra.laptop.config import LaptopError
from infra.laptop.drills import published, scratch
from infra.laptop.drills.target import example

ALARMS = read("flights", "nightjar-flights", Dimensions("app/nightjar/1", "targetgroup/nightjar-flights/1"))


def test_a_copy_has_the_metric_and_the_comparison_and_short_periods() -> None:
    copies = scratch.of(ALARMS, "cpu")
    (copied,) = copies.metric
    assert copied["AlarmName"] == "nightjar-flights-cpu-drill" == copies.watched == copies.tells
    assert (copied["Period"], copied["EvaluationPeriods"], copied["DatapointsToAlarm"]) == (60, 1, 1)
    same = ("Namespace", "MetricName", "Dimensions", "Statistic", "Threshold", "ComparisonOperator", "AlarmActions")
    assert {name: copied[name] for name in same} == {name: ALARMS.metric["cpu"][name] for name in same}
    assert copies.changes == ("nightjar-flights-cpu: 1 datapoint of 60 s instead of 8 of 10 of 60 s",)
    assert copies.changes[0] in copied["AlarmDescription"] and "docs/runbooks/cpu.md" in copied["AlarmDescription"]
    assert "metric_of" not in copied and ALARMS.metric["cpu"]["EvaluationPeriods"] == 10


def test_every_metric_of_an_expression_has_the_short_period() -> None:
    (copied,) = scratch.of(ALARMS, "client-errors").metric
    assert {query["MetricStat"]["Period"] for query in copied["Metrics"] if "MetricStat" in query} == {60}


def test_another_threshold_is_told() -> None:
    copies = scratch.of(ALARMS, "iterator-age", 1000)
    assert copies.metric[0]["Threshold"] == 1000
    assert "nightjar-flights-iterator-age: threshold 1000 instead of 7.2e+06" in copies.changes


@pytest.mark.parametrize(
    ("name", "watched"),
    [("error-rate", "error-rate"), ("unhealthy-targets", "unhealthy-targets"), ("service-down",) * 2],
)
def test_a_part_is_told_by_a_copy_of_its_composite_alarm(name: str, watched: str) -> None:
    copies = scratch.of(ALARMS, name)
    assert copies.watched == f"nightjar-flights-{watched}-drill"
    assert copies.tells == "nightjar-flights-service-down-drill" == copies.names[0]
    assert all(copied["AlarmActions"] == [] for copied in copies.metric) and len(copies.metric) == 2
    assert copies.composite and copies.composite["AlarmRule"] == (
        'ALARM("nightjar-flights-error-rate-drill") OR ALARM("nightjar-flights-unhealthy-targets-drill")'
    )


def test_an_unknown_alarm_is_named() -> None:
    with pytest.raises(LaptopError, match=r"There is no alarm cpus\. There are: latency"):
        scratch.of(ALARMS, "cpus")


@pytest.mark.parametrize("name", [name for name, alarm in ALARMS.metric.items() if "MetricName" in alarm])
def test_a_published_value_is_on_the_side_of_the_threshold_that_it_shall_be(name: str) -> None:
    alarm = ALARMS.metric[name]
    greater = alarm["ComparisonOperator"].startswith("Greater")
    low, high = sorted((published.good(alarm), published.bad(alarm)))
    assert low < alarm["Threshold"] < high or alarm["Threshold"] == 0
    assert (published.bad(alarm) == high) is greater


@pytest.mark.parametrize(
    ("spec", "value"),
    [
        ({"type": "number", "min": -4, "example": 2}, 2),
        ({"type": "string", "enum": ("b", "a")}, "b"),
        ({"type": "number", "min": 3}, 3),
        ({"type": "integer"}, 0),
        ({"type": "number", "max": -5}, -5),
        ({"type": "string"}, "x"),
    ],
)
def test_an_example_is_what_the_field_accepts(spec: dict[str, object], value: object) -> None:
    field = FieldSpec.model_validate(spec)
    assert example(field) == value
    assert field.check(example(field))[1] is None
