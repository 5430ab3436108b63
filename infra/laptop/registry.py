"""Reads the model registry (SageMaker), and the live pointer and the days (state table)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from itertools import islice
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from include.lake import resources, state_keys
from include.lake.uris import split_s3_uri
from infra.laptop.aws import Aws


def versions(aws: Aws, workload: str, newest: int | None = None) -> list[dict[str, Any]]:
    """DescribeModelPackage's response for every version, newest first; or only for so many of the ``newest``."""
    return [*islice(_described(aws, workload), newest)]


def _described(aws: Aws, workload: str) -> Iterator[dict[str, Any]]:
    """Describes the versions one by one, newest first: a year of nights has hundreds."""
    pages = aws.sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=resources.model_group(workload)
    )
    listed = [summary for page in pages for summary in page["ModelPackageSummaryList"]]
    listed.sort(key=lambda summary: summary["ModelPackageVersion"], reverse=True)
    for summary in listed:
        yield aws.sagemaker.describe_model_package(ModelPackageName=summary["ModelPackageArn"])


def version_of_day(aws: Aws, workload: str, day: date) -> dict[str, Any] | None:
    """The newest version that a retrain run of this day registered."""
    packages = _described(aws, workload)
    of_day = (p for p in packages if p.get("CustomerMetadataProperties", {}).get("day") == day.isoformat())
    return next(of_day, None)


def version(aws: Aws, workload: str, number: int) -> dict[str, Any] | None:
    """One version by its number."""
    return next((package for package in _described(aws, workload) if package["ModelPackageVersion"] == number), None)


def live(aws: Aws, table: str, workload: str) -> dict[str, Any] | None:
    """The newest entry of the live log, or None before the first deploy."""
    items = aws.dynamodb.query(
        TableName=table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": state_keys.live_partition_key(workload)}},
        ConsistentRead=True,
        ScanIndexForward=False,
        Limit=2,
    )["Items"]
    read = TypeDeserializer()
    entries = [{name: read.deserialize(value) for name, value in item.items()} for item in items]
    newest = next((entry for entry in entries if entry["sk"] != state_keys.live_key(workload)[1]), None)
    return newest and {name: value for name, value in newest.items() if name not in ("pk", "sk")}


def day(aws: Aws, table: str, workload: str, day: date) -> dict[str, Any] | None:
    """The state of a processed day; None if it was not processed."""
    pk, sk = state_keys.day_key(workload, day)
    item = aws.dynamodb.get_item(TableName=table, Key={"pk": {"S": pk}, "sk": {"S": sk}}, ConsistentRead=True).get(
        "Item"
    )
    read = TypeDeserializer()
    return {name: read.deserialize(value) for name, value in item.items()} if item else None


def document(aws: Aws, uri: str) -> dict[str, Any]:
    """The JSON document at an S3 URI."""
    return json.loads(content(aws, uri))


def content(aws: Aws, uri: str) -> bytes:
    """The bytes of the object at an S3 URI."""
    bucket, key = split_s3_uri(uri)
    return aws.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
