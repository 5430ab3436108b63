"""CloudWatch metrics that a task publishes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

AT_ONCE = 500  # CloudWatch takes at most 1,000 metrics, and 1 MB, in a call


def publish_metrics(namespace: str, data: Sequence[Mapping[str, Any]], region_name: str | None = None) -> None:
    """Publishes metrics in the form of PutMetricData's MetricData."""
    client: Any = AwsBaseHook(aws_conn_id=None, client_type="cloudwatch", region_name=region_name).conn
    for start in range(0, len(data), AT_ONCE):
        part = [dict(datum) for datum in data[start : start + AT_ONCE]]
        client.put_metric_data(Namespace=namespace, MetricData=part)
