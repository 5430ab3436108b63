"""Evaluates metric data queries, those of GetMetricData and of alarms alike: metrics, and metric math over them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from infra.localcloud.cloudwatch import math_parser, metric_math
from infra.localcloud.cloudwatch.data import Grid, MetricIndex, MetricKey, metric_key
from infra.localcloud.cloudwatch.math_values import Series, Value, invalid, listed
from infra.localcloud.cloudwatch.statistics import check_statistic, compute

Query = Mapping[str, Any]
DEFAULT_PERIOD = 60


def metric_of(query: Query) -> MetricKey:
    """The metric of a query with MetricStat."""
    metric = query["MetricStat"]["Metric"]
    return metric_key(metric["Namespace"], metric["MetricName"], metric.get("Dimensions") or ())


def period_of(query: Query, queries: Sequence[Query]) -> int:
    """The period of a query; an expression without one has the longest of the metrics."""
    if "MetricStat" in query:
        return int(query["MetricStat"]["Period"])
    if query.get("Period"):
        return int(query["Period"])
    return max((int(one["MetricStat"]["Period"]) for one in queries if "MetricStat" in one), default=DEFAULT_PERIOD)


def check(queries: Sequence[Query]) -> None:
    """Refuses queries that cannot be evaluated, without evaluating them.

    Raises:
        AwsError: A query is not well-formed (ValidationError).
        NotImplementedError: A statistic or a function is not computed.
    """
    ids = [query["Id"] for query in queries]
    if len(set(ids)) < len(ids):
        raise invalid("two queries have the same Id")
    for query in queries:
        if ("MetricStat" in query) == ("Expression" in query):
            raise invalid(f"the query {query['Id']} needs either MetricStat or Expression")
        if "MetricStat" in query:
            check_statistic(query["MetricStat"]["Stat"])
            continue
        tree = math_parser.parse(query["Expression"])
        metric_math.check(tree)
        if unknown := metric_math.names(tree) - {*ids, "REPEAT", "LINEAR"}:
            raise invalid(f"the query {query['Id']} refers to {min(unknown)}, which no query has as its Id")


class Evaluation:
    """Evaluates queries that refer to each other, each once.

    Args:
        index: The metric data.
        queries: The queries; :func:`check` has accepted them.
        grid: Returns the periods to look at, for a length in seconds.
    """

    def __init__(self, index: MetricIndex, queries: Sequence[Query], grid: Callable[[int], Grid]) -> None:
        self._index = index
        self._queries = {query["Id"]: query for query in queries}
        self._all = queries
        self._grid = grid
        self._values: dict[str, Value] = {}
        self._open: set[str] = set()

    def series(self, name: str) -> list[Series]:
        """The time series that a query results in: one, or those of an array.

        Raises:
            AwsError: It results in a number (ValidationError).
        """
        value = self._value(name)
        members = listed(value)
        found = [one for one in members if isinstance(one, dict)]
        if len(found) < len(members):
            raise invalid(f"the query {name} results in a number; it must be a time series")
        return found

    def _value(self, name: str) -> Value:
        if name in self._values:
            return self._values[name]
        if name in self._open:
            raise invalid(f"the query {name} refers to itself")
        if name not in self._queries:
            raise invalid(f"there is no query {name}")
        self._open.add(name)
        query = self._queries[name]
        grid = self._grid(period_of(query, self._all))
        if "MetricStat" in query:
            value: Value = self._metric(query, grid)
        else:
            metrics = [one["Id"] for one in self._all if "MetricStat" in one]
            scope = metric_math.Scope(self._value, metrics, grid)
            value = metric_math.evaluate(math_parser.parse(query["Expression"]), scope)
        self._open.discard(name)
        self._values[name] = value
        return value

    def _metric(self, query: Query, grid: Grid) -> Series:
        asked = query["MetricStat"]
        data = self._index.between(metric_of(query), grid.start, grid.end, asked.get("Unit"))
        values = {time: compute(asked["Stat"], members) for time, members in grid.grouped(data).items()}
        return {time: value for time, value in values.items() if value is not None}
