"""Evaluates alarms in the background: each when a period ends, when data of its metrics arrive, and when it is put."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from infra.localcloud.actions import AwsError
from infra.localcloud.cloudwatch.alarms import INSUFFICIENT, MetricAlarm, stamp
from infra.localcloud.cloudwatch.data import Grid, MetricIndex, MetricKey
from infra.localcloud.cloudwatch.evaluation import EXTRA_PERIODS, Point, Verdict, judge
from infra.localcloud.cloudwatch.math_values import invalid
from infra.localcloud.cloudwatch.queries import Evaluation

# Datapoints begin at whole minutes; those of high-resolution alarms at multiples of ten seconds.
_MINUTE, _HIGH_RESOLUTION = 60, 10


def last_end(alarm: MetricAlarm, now: float) -> float:
    """When the alarm's last whole period ended."""
    step = _HIGH_RESOLUTION if alarm.period < _MINUTE else _MINUTE
    return now // step * step


def datapoints(alarm: MetricAlarm, index: MetricIndex, now: float) -> list[Point]:
    """The alarm's datapoints up to its last whole period, oldest first.

    Raises:
        AwsError: Its expression cannot be evaluated over these data.
    """
    grid = Grid.before(last_end(alarm, now), alarm.period, alarm.rule.periods + EXTRA_PERIODS)
    found = Evaluation(index, alarm.queries, lambda period: grid).series(alarm.watched["Id"])
    if len(found) != 1:
        raise invalid(f"the alarm watches {len(found)} time series; it must be one")
    return [Point(start, found[0].get(start)) for start in grid.times]


def reason_data(alarm: MetricAlarm, verdict: Verdict, now: float) -> str:
    """The JSON that goes with a reason."""
    points = verdict.points
    own = alarm.configuration
    return json.dumps(
        {
            "version": "1.0",
            "queryDate": stamp(now),
            **({"startDate": stamp(points[-1].time)} if points else {}),
            **({"statistic": own["Statistic"]} if own.get("Statistic") else {}),
            "period": alarm.period,
            "recentDatapoints": [point.value for point in reversed(points)],
            "threshold": alarm.rule.threshold,
            "evaluatedDatapoints": [{"timestamp": stamp(point.time), "value": point.value} for point in points],
        }
    )


class Evaluator:
    """Decides which alarms are due, and evaluates them.

    Args:
        index: The metric data.
        alarms: Returns all alarms.
        change: Called with an alarm and the verdict that changes its state.
        clock: Returns the present Unix time.
    """

    def __init__(
        self,
        index: MetricIndex,
        alarms: Callable[[], Iterable[MetricAlarm]],
        change: Callable[[MetricAlarm, Verdict, float], Any],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._index = index
        self._alarms = alarms
        self._change = change
        self._clock = clock
        self._lock = threading.Lock()
        self._due: set[str] = set()

    def put(self, alarm: MetricAlarm) -> None:
        """Makes an alarm due: it is new, or its configuration changed."""
        with self._lock:
            self._due.add(alarm.name)

    def arrived(self, metrics: set[MetricKey]) -> bool:
        """Makes the alarms of these metrics due, because data have arrived; whether there are any."""
        due = {alarm.name for alarm in self._alarms() if alarm.metrics & metrics}
        with self._lock:
            self._due |= due
        return bool(due)

    def step(self) -> float:
        """Evaluates what is due; returns the seconds until the next period may end."""
        now = self._clock()
        with self._lock:
            due, self._due = self._due, set()
        for alarm in list(self._alarms()):
            end = last_end(alarm, now)
            if alarm.name in due or alarm.evaluated < end:
                alarm.evaluated = end
                self._evaluate(alarm, now)
        return _HIGH_RESOLUTION - self._clock() % _HIGH_RESOLUTION

    def _evaluate(self, alarm: MetricAlarm, now: float) -> None:
        try:
            verdict = judge(alarm.rule, datapoints(alarm, self._index, now))
        except AwsError as error:
            verdict = Verdict(INSUFFICIENT, f"Unchecked: {error}")
        if verdict.state is not None and verdict.state != alarm.state:
            self._change(alarm, verdict, now)
