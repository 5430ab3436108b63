"""The dead-man check: publishes how many hours ago each workload published a day and registered a model.

A run that fails raises an alarm of its own; where nothing runs, nothing fails. So the alarm on these metrics treats
missing data as breaching: it also fires when nothing was ever recorded, and when this function does not run.

It has the standard library and boto3, as in Lambda's runtime, and none of the product's code. What it repeats of
``include/lake/`` is held against it by a test.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import boto3

NAMESPACE = "Nightjar/Platform"
PUBLISHED, RETRAINED = "PublishedDayAge", "ModelAge"
# The newest days of a workload that are read. Late events publish earlier days again, but hardly ones before these.
DAYS = 60

log = logging.getLogger()
log.setLevel(logging.INFO)


class CheckError(Exception):
    """Something could not be read. The text names each workload and metric, and why."""


def handler(event: object, context: object) -> dict[str, float]:
    """What Lambda calls; ``event`` and ``context`` are not used. Settings: STATE_TABLE and WORKLOADS (a JSON list)."""
    return check(os.environ["STATE_TABLE"], json.loads(os.environ["WORKLOADS"]), datetime.now(UTC))


def check(table: str, workloads: Iterable[str], now: datetime) -> dict[str, float]:
    """Publishes both metrics of each workload; one that cannot be read does not stop the others.

    Args:
        table: The state table.
        workloads: Names of the workloads.
        now: The present.

    Returns:
        ``<workload> <metric>`` → hours, of what was published. What was never recorded is not in it.

    Raises:
        CheckError: Something could not be read. The rest has been published.
    """
    cloudwatch, dynamodb, sagemaker = boto3.client("cloudwatch"), boto3.client("dynamodb"), boto3.client("sagemaker")
    metrics: dict[str, Callable[[str], datetime | None]] = {
        PUBLISHED: lambda workload: last_publish(dynamodb, table, workload),
        RETRAINED: lambda workload: last_model(sagemaker, workload),
    }
    ages, errors = {}, []
    for workload in workloads:
        for metric, last in metrics.items():
            try:
                at = last(workload)
            except Exception as error:  # whatever it is, the other metrics must be published
                errors.append(f"{workload} {metric}: {error!r}")
                continue
            if at is None:
                log.warning("%s %s: nothing is recorded", workload, metric)
                continue
            hours = (now - at).total_seconds() / 3600
            datum: Any = {"MetricName": metric, "Dimensions": [{"Name": "Workload", "Value": workload}], "Value": hours}
            cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=[datum])
            ages[f"{workload} {metric}"] = hours
    log.info("%s", json.dumps(ages))
    if errors:
        raise CheckError("; ".join(errors))
    return ages


def last_publish(dynamodb: Any, table: str, workload: str) -> datetime | None:
    """When the newest publication of a day was planned, among the workload's newest days; None without one."""
    answer = dynamodb.query(
        TableName=table,
        KeyConditionExpression="pk = :days",
        ExpressionAttributeValues={":days": {"S": days_key(workload)}},
        ScanIndexForward=False,
        Limit=DAYS,
    )
    planned = [item["planned_at"]["S"] for item in answer["Items"] if item["status"]["S"] == "published"]
    return max(map(datetime.fromisoformat, planned), default=None)


def last_model(sagemaker: Any, workload: str) -> datetime | None:
    """When the workload's newest model package was registered, whatever became of it; None without one."""
    found = sagemaker.list_model_packages(
        ModelPackageGroupName=model_group(workload), SortBy="CreationTime", SortOrder="Descending", MaxResults=1
    )["ModelPackageSummaryList"]
    return found[0]["CreationTime"] if found else None


def days_key(workload: str) -> str:
    """Partition key of the days of a workload (``state_keys.day_partition_key``)."""
    return f"day#{workload}"


def model_group(workload: str) -> str:
    """Model package group of a workload (``resources.model_group``)."""
    return f"nightjar-{workload}"
