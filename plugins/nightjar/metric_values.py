"""CloudWatch's metrics, read minute by minute."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

PERIOD = 60
Query = tuple[str, str, Mapping[str, str], str]
"""Namespace, name, dimensions and statistic of a metric."""
# Of partial data, the rest is on the next page. The others are InternalError and Forbidden.
_READ = ("Complete", "PartialData")


class MetricsReadError(RuntimeError):
    """CloudWatch answered, but has not read a metric that was asked for."""


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

        Raises:
            MetricsReadError: CloudWatch could not read one, or may not; these are no minutes without values.
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
                if result["StatusCode"] not in _READ:
                    told = [message.get("Value", "") for message in result.get("Messages", [])]
                    raise MetricsReadError(f"CloudWatch: {result['StatusCode']} for {queries[result['Id']]}. {told}")
                found[result["Id"]] |= dict(zip(result["Timestamps"], result["Values"], strict=True))
        return found
