"""moto's CloudWatch, whose statistics are those of one metric: a namespace, a name and exactly these dimensions."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from moto.cloudwatch.exceptions import InvalidParameterValue, ValidationError
from moto.cloudwatch.models import CloudWatchBackend as MotoCloudWatchBackend
from moto.cloudwatch.models import MetricDatumBase, Statistics

from infra.localcloud.install import Context

_STATISTICS = ("Sum", "Average", "Minimum", "Maximum", "SampleCount")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)


class CloudWatchBackend(MotoCloudWatchBackend):
    """Metrics of one account and region."""

    context: ClassVar[Context]

    def get_metric_statistics(
        self,
        namespace: str,
        metric_name: str,
        start_time: datetime,
        end_time: datetime,
        period: int,
        stats: list[str],
        dimensions: list[dict[str, str]],
        unit: str | None = None,
    ) -> list[Statistics]:
        """GetMetricStatistics.

        Raises:
            InvalidParameterValue: The time range is empty.
        """
        if start_time >= end_time:
            raise InvalidParameterValue("The parameter StartTime must be less than the parameter EndTime.")
        data = self._data(namespace, metric_name, dimensions, unit, start_time, end_time)
        return _statistics(data, period, stats)

    def get_metric_data(
        self,
        queries: list[dict[str, Any]],
        start_time: datetime,
        end_time: datetime,
        scan_by: str = "TimestampDescending",
    ) -> list[dict[str, Any]]:
        """GetMetricData for queries of one metric each.

        Raises:
            ValidationError: The time range is empty.
            NotImplementedError: The statistic is a percentile or a trimmed mean.
        """
        if start_time >= end_time:
            raise ValidationError("The parameter StartTime must be less than the parameter EndTime.")
        results = [self._result(query, start_time, end_time, scan_by) for query in queries]
        return [result for query, result in zip(queries, results, strict=True) if query.get("ReturnData", True)]

    def _result(self, query: dict[str, Any], start: datetime, end: datetime, scan_by: str) -> dict[str, Any]:
        asked, metric = query["MetricStat"], query["MetricStat"]["Metric"]
        name, stat = metric["MetricName"], asked["Stat"]
        if stat not in _STATISTICS:
            raise NotImplementedError(f"the statistic {stat} is not computed; use one of {', '.join(_STATISTICS)}")
        dimensions = metric.get("Dimensions", [])
        data = self._data(metric["Namespace"], name, dimensions, asked.get("Unit"), start, end)
        points = _statistics(data, int(asked["Period"]), [stat])
        points.sort(key=lambda point: point.timestamp, reverse=scan_by != "TimestampAscending")
        return {
            "id": query["Id"],
            "label": query.get("Label") or name,
            "values": [point.get_statistics_for_type(stat) for point in points],
            "timestamps": [point.timestamp for point in points],
            "status_code": "Complete",
        }

    def _data(
        self,
        namespace: str,
        name: str,
        dimensions: list[dict[str, str]],
        unit: str | None,
        start: datetime,
        end: datetime,
    ) -> list[MetricDatumBase]:
        """What was put for this metric in the time range."""
        wanted = {(dimension["Name"], dimension["Value"]) for dimension in dimensions}
        return [
            datum
            for datum in self.get_all_metrics()
            if datum.namespace == namespace
            and datum.name == name
            and {(dimension.name, dimension.value) for dimension in datum.dimensions} == wanted
            and (unit is None or datum.unit == unit)
            and start <= datum.timestamp < end
        ]


def _statistics(data: list[MetricDatumBase], period: int, stats: list[str]) -> list[Statistics]:
    """One point for each period with data, oldest first. Periods begin at multiples of their length."""
    length = timedelta(seconds=period)
    periods: dict[datetime, list[MetricDatumBase]] = defaultdict(list)
    for datum in data:
        periods[_EPOCH + (datum.timestamp - _EPOCH) // length * length].append(datum)
    points = []
    for begin, members in sorted(periods.items()):
        point = Statistics(stats, begin, members[0].unit)
        point.metric_data = members
        points.append(point)
    return points
