"""The values of a dashboard's metrics, as GetMetricData has them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from infra.laptop.aws import Aws
from infra.laptop.dashboard.widgets import Chart, Metric

Points = list[tuple[datetime, float]]


def read(aws: Aws, charts: Sequence[Chart], start: datetime, end: datetime) -> dict[tuple[Metric, int], Points]:
    """The datapoints of every metric, by metric and period, the oldest first."""
    asked = list(dict.fromkeys((metric, chart.period) for chart in charts for metric in chart.metrics))
    found: dict[tuple[Metric, int], Points] = {}
    for first in range(0, len(asked), 500):  # the most that a request may ask for
        some = asked[first : first + 500]
        answer = aws.cloudwatch.get_metric_data(
            MetricDataQueries=[_query(place, *one) for place, one in enumerate(some)],
            StartTime=start,
            EndTime=end,
            ScanBy="TimestampAscending",
        )
        for result in answer["MetricDataResults"]:
            one = some[int(result["Id"].removeprefix("m"))]
            found[one] = list(zip(result["Timestamps"], result["Values"], strict=True))
    return found


def _query(place: int, metric: Metric, period: int) -> dict[str, Any]:
    dimensions = [{"Name": name, "Value": value} for name, value in metric.dimensions]
    named = {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions}
    return {"Id": f"m{place}", "MetricStat": {"Metric": named, "Period": period, "Stat": metric.stat}}
