"""Metric data as they are stored, and their index by metric."""

from __future__ import annotations

import math
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

NO_UNIT = "None"


class MetricKey(NamedTuple):
    """A metric: a namespace, a name and exactly these dimensions, sorted by name."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]


class StatisticSet(NamedTuple):
    """Values of which only these statistics are known."""

    minimum: float
    maximum: float
    total: float
    samples: float


class Datum(NamedTuple):
    """What was put at one time: values with how often each occurred, or a statistic set.

    Attributes:
        time: Unix time in seconds.
    """

    metric: MetricKey
    time: float
    unit: str
    values: tuple[float, ...] = ()
    counts: tuple[float, ...] = ()
    statistics: StatisticSet | None = None


def metric_key(namespace: str, name: str, dimensions: Iterable[Mapping[str, str]]) -> MetricKey:
    """The key of a metric as the API names it."""
    return MetricKey(namespace, name, tuple(sorted((one["Name"], one["Value"]) for one in dimensions)))


def epoch(moment: datetime) -> float:
    """Unix time; a time without a zone is UTC."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def read_datum(namespace: str, member: Mapping[str, Any], now: float) -> Datum:
    """A member of PutMetricData's MetricData, which was checked before."""
    metric = metric_key(namespace, member["MetricName"], member.get("Dimensions") or ())
    time = epoch(member["Timestamp"]) if member.get("Timestamp") else now
    unit = member.get("Unit") or NO_UNIT
    if known := member.get("StatisticValues"):
        names = ("Minimum", "Maximum", "Sum", "SampleCount")
        return Datum(metric, time, unit, statistics=StatisticSet(*(float(known[name]) for name in names)))
    values = member.get("Values") or [member.get("Value", 0.0)]
    counts = member.get("Counts") or [1.0] * len(values)
    return Datum(metric, time, unit, tuple(map(float, values)), tuple(map(float, counts)))


class MetricIndex:
    """Metric data by metric. Thread-safe: log lines add data beside the requests."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._data: dict[MetricKey, list[Datum]] = defaultdict(list)

    def add(self, data: Iterable[Datum]) -> None:
        """Adds data."""
        with self._lock:
            for datum in data:
                self._data[datum.metric].append(datum)

    def metrics(self) -> list[MetricKey]:
        """All metrics, in the order of their first datum."""
        with self._lock:
            return list(self._data)

    def with_more(self, data: Iterable[Datum]) -> MetricIndex:
        """An index of these data and more, for one read."""
        both = MetricIndex()
        with self._lock:
            both._data.update(self._data)
        for datum in data:
            both._data[datum.metric] = [*both._data[datum.metric], datum]
        return both

    def between(self, metric: MetricKey, start: float, end: float, unit: str | None = None) -> list[Datum]:
        """The data of a metric from ``start`` to before ``end``; only those of a unit if one is given."""
        with self._lock:
            data = list(self._data.get(metric, ()))
        return [datum for datum in data if start <= datum.time < end and unit in (None, datum.unit)]


class Grid(NamedTuple):
    """Periods of equal length, one after the other.

    Attributes:
        start: When the first begins, in Unix time.
        period: The length of each, in seconds.
        end: The time from which data do not count; the last period may be cut short by it.
    """

    start: float
    period: float
    end: float

    @staticmethod
    def between(start: float, end: float, period: float) -> Grid:
        """The periods that begin at multiples of their length and have a part between two times."""
        return Grid(math.floor(start / period) * period, period, end)

    @staticmethod
    def before(end: float, period: float, count: int) -> Grid:
        """The last periods before a time."""
        return Grid(end - period * count, period, end)

    @property
    def times(self) -> tuple[float, ...]:
        """When each period begins."""
        count = math.ceil((self.end - self.start) / self.period)
        return tuple(self.start + self.period * number for number in range(count))

    def grouped(self, data: Iterable[Datum]) -> dict[float, list[Datum]]:
        """Data by the beginning of their period, oldest period first."""
        groups: dict[float, list[Datum]] = defaultdict(list)
        for datum in data:
            groups[self.start + (datum.time - self.start) // self.period * self.period].append(datum)
        return dict(sorted(groups.items()))
