"""Values of metrics with which an alarm goes off, or does not: found by trying, so that they fit any definition."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import Any

from infra.localcloud.cloudwatch.alarms import MetricAlarm
from infra.localcloud.cloudwatch.data import Datum, Grid, MetricIndex, MetricKey
from infra.localcloud.cloudwatch.queries import Evaluation


def metric_alarm(members: Mapping[str, Any], now: float = 0.0) -> MetricAlarm:
    """An alarm of the members of PutMetricAlarm."""
    return MetricAlarm("arn", dict(members), now)


def values(alarm: MetricAlarm, *, breaching: bool) -> dict[MetricKey, float]:
    """A value of each metric of an alarm with which its datapoint is breaching, or is not; fails if there is none."""
    metrics = sorted(alarm.metrics)
    threshold = alarm.rule.threshold
    candidates = list(dict.fromkeys((0.0, 1.0, 10.0, 100.0, 1000.0, threshold / 2, threshold, 2 * threshold + 1)))
    for chosen in product(candidates, repeat=len(metrics)):
        found = dict(zip(metrics, chosen, strict=True))
        value = _datapoint(alarm, found)
        if value is not None and alarm.rule.breaches(value) is breaching:
            return found
    raise AssertionError(
        f"no values of {metrics} are {'' if breaching else 'not '}beyond the threshold of {alarm.name}"
    )


def data(chosen: Mapping[MetricKey, float], times: Iterable[float]) -> Iterator[Datum]:
    """These values at each of the times."""
    for time in times:
        yield from (Datum(metric, time, "None", (value,), (1.0,)) for metric, value in chosen.items())


def _datapoint(alarm: MetricAlarm, chosen: Mapping[MetricKey, float]) -> float | None:
    index, grid = MetricIndex(), Grid(0.0, alarm.period, alarm.period)
    index.add(data(chosen, [1.0]))
    (series,) = Evaluation(index, alarm.queries, lambda period: grid).series(alarm.watched["Id"])
    return series.get(0.0)
