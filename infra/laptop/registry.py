"""What is registered and what is live, read as any operator would: SageMaker's model registry and the state table."""

from __future__ import annotations

import json
from datetime import date
from typing import Any
from urllib.parse import urlparse

from boto3.dynamodb.types import TypeDeserializer

from include.lake import layout
from infra.laptop.aws import Aws


def versions(aws: Aws, workload: str) -> list[dict[str, Any]]:
    """DescribeModelPackage answers of every version, the newest first."""
    pages = aws.sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=layout.model_group(workload)
    )
    arns = [summary["ModelPackageArn"] for page in pages for summary in page["ModelPackageSummaryList"]]
    described = [aws.sagemaker.describe_model_package(ModelPackageName=arn) for arn in arns]
    return sorted(described, key=lambda package: package["ModelPackageVersion"], reverse=True)


def of_night(aws: Aws, workload: str, night: date) -> dict[str, Any] | None:
    """The newest version that was trained for this night."""
    for package in versions(aws, workload):
        if package.get("CustomerMetadataProperties", {}).get("day") == night.isoformat():
            return package
    return None


def live(aws: Aws, table: str, workload: str) -> dict[str, Any] | None:
    """The live pointer; None before the first deploy."""
    pk, sk = layout.live_key(workload)
    item = aws.dynamodb.get_item(TableName=table, Key={"pk": {"S": pk}, "sk": {"S": sk}}, ConsistentRead=True).get(
        "Item"
    )
    if item is None:
        return None
    read = TypeDeserializer()
    return {name: read.deserialize(value) for name, value in item.items() if name not in ("pk", "sk")}


def document(aws: Aws, uri: str) -> dict[str, Any]:
    """A JSON document by its s3:// address."""
    return json.loads(content(aws, uri))


def content(aws: Aws, uri: str) -> bytes:
    """An object's bytes by its s3:// address."""
    where = urlparse(uri)
    return aws.s3.get_object(Bucket=where.netloc, Key=where.path.lstrip("/"))["Body"].read()
