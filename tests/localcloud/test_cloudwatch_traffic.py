"""What is counted of Caddy's lines, what of it becomes metrics, and percentile ranks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.localcloud.background import Background
from infra.localcloud.cloudwatch.data import Datum, metric_key
from infra.localcloud.cloudwatch.statistics import check_statistic, compute
from infra.localcloud.cloudwatch.traffic_metrics import metrics_of
from infra.localcloud.elb.traffic import Answers, TrafficLog

BALANCER, GROUP = "app/nightjar/50dc", "targetgroup/flights/6d0e"


def line(status: int = 200, latency: float | None = 2.0, at: float = 1003.5, **fields: Any) -> bytes:
    known = {"ts": at, "status": status, "latency_ms": latency, "load_balancer": BALANCER, "target_group": GROUP}
    return json.dumps({**known, **fields}).encode()


@pytest.fixture
def log() -> TrafficLog:
    return TrafficLog(Background())


def test_requests_are_counted_by_ten_seconds_balancer_and_group(log: TrafficLog) -> None:
    for one in (line(), line(500), line(at=1012.0), line(target_group="targetgroup/other/1")):
        log.count(one)
    taken = log.take(before=1010.0)
    assert {key: answers.requests for key, answers in taken.items()} == {
        (1000.0, BALANCER, GROUP): 2,
        (1000.0, BALANCER, "targetgroup/other/1"): 1,
    }
    assert taken[1000.0, BALANCER, GROUP].codes == {"2XX": 1, "5XX": 1}
    assert {key[0] for key in log.take(before=1021.0)} == {1010.0}
    assert log.take(before=2000.0) == {}


def test_what_no_group_got_or_is_no_line_counts_nothing(log: TrafficLog) -> None:
    for one in (b"not json", b"{}", b"[]", line(target_group=None).replace(b'"target_group"', b'"x"'), line(at="?")):  # type: ignore[arg-type]
        log.count(one)
    assert log.take(before=1e12) == {}


def test_the_metrics_of_a_group() -> None:
    answers = Answers()
    for status, latency in ((200, 2.0), (200, 2.0), (404, 10.0), (502, None)):
        answers.add(json.loads(line(status, latency)))
    found = {datum.metric.name: datum for datum in metrics_of(answers, {"LoadBalancer": BALANCER}, 1000.0)}
    assert {name: datum.values for name, datum in found.items() if datum.unit == "Count"} == {
        "RequestCount": (4.0,),
        "HTTPCode_Target_2XX_Count": (2.0,),
        "HTTPCode_Target_4XX_Count": (1.0,),
        "TargetConnectionErrorCount": (1.0,),
    }
    times = found["TargetResponseTime"]
    assert (times.unit, times.time, times.values, times.counts) == (
        "Seconds",
        1000.0,
        (0.002, 0.01),
        (2.0, 1.0),
    )


@pytest.mark.parametrize(
    ("statistic", "percent"),
    [("PR(:0.5)", 75), ("PR(0.5:)", 25), ("PR(0.1:0.5)", 25), ("PR(0:1)", 100), ("PR(2:3)", 0)],
)
def test_a_percentile_rank_is_the_share_of_values_above_the_lower_bound_up_to_the_upper(
    statistic: str, percent: float
) -> None:
    datum = Datum(metric_key("n", "m", ()), 0.0, "None", (0.1, 0.5, 0.9), (2.0, 1.0, 1.0))
    assert compute(statistic, [datum]) == percent


@pytest.mark.parametrize("statistic", ["PR(:)", "PR(10%:90%)", "PR(1)", "TM(1:2)"])
def test_another_form_is_refused(statistic: str) -> None:
    with pytest.raises(NotImplementedError):
        check_statistic(statistic)
