"""Metrics in log lines: CloudWatch's embedded metric format.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from infra.localcloud.cloudwatch.data import NO_UNIT, Datum, MetricKey

_MARK = '"_aws"'
_MOST_VALUES = 100


def read(message: str) -> list[Datum]:
    """The metric data of a log line; none if it is no line of this format, or one that CloudWatch rejects."""
    if _MARK not in message:
        return []
    try:
        root = json.loads(message)
        head = root["_aws"]
        time = float(head["Timestamp"]) / 1000
        return [datum for directive in head["CloudWatchMetrics"] for datum in _data(root, directive, time)]
    except (ValueError, KeyError, TypeError):
        return []


def _data(root: Mapping[str, Any], directive: Mapping[str, Any], time: float) -> Iterator[Datum]:
    for metric in directive["Metrics"]:
        if metric["Name"] not in root:
            continue
        values, counts = _values(root[metric["Name"]])
        for names in directive["Dimensions"]:
            dimensions = tuple(sorted((name, str(root[name])) for name in names))
            key = MetricKey(str(directive["Namespace"]), str(metric["Name"]), dimensions)
            yield Datum(key, time, str(metric.get("Unit") or NO_UNIT), values, counts)


def _values(value: Any) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Values and counts of a metric: a number, a list of numbers, or both lists by name."""
    counts: Any = None
    if isinstance(value, Mapping):
        value, counts = value["Values"], value["Counts"]
    values = tuple(float(one) for one in (value if isinstance(value, list) else [value]))
    counted = tuple(float(one) for one in counts) if counts is not None else (1.0,) * len(values)
    if not 0 < len(values) <= _MOST_VALUES or len(values) != len(counted):
        raise ValueError("a metric has 1 to 100 values, and a count for each")
    return values, counted
