"""CloudWatch's metrics, read minute by minute."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

PERIOD = 60
Query = tuple[str, str, Mapping[str, str], str]
"""Namespace, name, dimensions and statistic of a metric."""


class MetricsHook:
    """Reads metrics."""

    def __init__(self, *, region_name: str | None = None, aws_conn_id: str | None = None) -> None:
        hook = AwsBaseHook(aws_conn_id=aws_conn_id, client_type="cloudwatch", region_name=region_name)
        self._client: Any = hook.conn

    def minutes(self, queries: Mapping[str, Query], start: datetime, end: datetime) -> dict[str, dict[datetime, float]]:
        """Returns the values of metrics for each minute that has any.

        Args:
            queries: Name → metric and statistic. A name begins with a lower-case letter.
            start: The first minute.
            end: The end of the last one.
        """
        asked: Any = [
            {
                "Id": name,
                "MetricStat": {
                    "Metric": {
                        "Namespace": namespace,
                        "MetricName": metric,
                        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
                    },
                    "Period": PERIOD,
                    "Stat": statistic,
                },
            }
            for name, (namespace, metric, dimensions, statistic) in queries.items()
        ]
        found: dict[str, dict[datetime, float]] = {name: {} for name in queries}
        pages = self._client.get_paginator("get_metric_data").paginate(
            MetricDataQueries=asked, StartTime=start, EndTime=end
        )
        for page in pages:
            for result in page["MetricDataResults"]:
                found[result["Id"]] |= dict(zip(result["Timestamps"], result["Values"], strict=True))
        return found
