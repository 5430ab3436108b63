"""The model registry: versions of a SageMaker model package group."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from botocore.exceptions import ClientError

THREADS = 8
DESCRIPTION_LENGTH = 1024  # SageMaker's limit for an ApprovalDescription


class RegistryHook(AwsBaseHook):
    """One model package group."""

    def __init__(self, group: str, *, aws_conn_id: str | None = None, **kwargs: Any) -> None:
        super().__init__(aws_conn_id=aws_conn_id, client_type="sagemaker", **kwargs)
        self.group = group

    def described(self) -> list[dict[str, Any]]:
        """DescribeModelPackage answers of every version, newest first; empty when there is no group yet."""
        pages = self.conn.get_paginator("list_model_packages").paginate(ModelPackageGroupName=self.group)
        try:
            arns = [summary["ModelPackageArn"] for page in pages for summary in page["ModelPackageSummaryList"]]
        except ClientError as error:
            if error.response["Error"]["Code"] in ("ValidationException", "ResourceNotFound"):
                return []
            raise
        with ThreadPoolExecutor(THREADS) as pool:
            answers = list(pool.map(lambda arn: self.conn.describe_model_package(ModelPackageName=arn), arns))
        return sorted(answers, key=lambda answer: answer["ModelPackageVersion"], reverse=True)

    def register(
        self, *, image: str, model_uri: str, status: str, description: str, metadata: dict[str, str], unique: str
    ) -> dict[str, Any]:
        """Makes a version unless there is one whose metadata has the same value under the key ``unique``; describes it.

        A version that exists is not changed: a person, or a deploy that failed, may have judged it since.
        """
        for answer in self.described():
            if answer.get("CustomerMetadataProperties", {}).get(unique) == metadata[unique]:
                return answer
        self._make_group()
        arn = self.conn.create_model_package(
            ModelPackageGroupName=self.group,
            InferenceSpecification={
                "Containers": [{"Image": image, "ModelDataUrl": model_uri}],
                "SupportedContentTypes": ["application/json"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
            ModelApprovalStatus=status,
            CustomerMetadataProperties=metadata,
            # Two registrations at the same instant make one version.
            ClientToken=hashlib.sha256(f"{self.group} {metadata[unique]}".encode()).hexdigest()[:36],
        )["ModelPackageArn"]
        # CreateModelPackage takes no ApprovalDescription.
        self.judge(arn, status, description)
        return self.conn.describe_model_package(ModelPackageName=arn)

    def judge(self, arn: str, status: str, description: str) -> None:
        """Sets a version's approval status (Approved, PendingManualApproval, Rejected) and says why."""
        self.conn.update_model_package(
            ModelPackageArn=arn, ModelApprovalStatus=status, ApprovalDescription=description[:DESCRIPTION_LENGTH]
        )

    def _make_group(self) -> None:
        try:
            self.conn.describe_model_package_group(ModelPackageGroupName=self.group)
        except ClientError:
            self.conn.create_model_package_group(ModelPackageGroupName=self.group)
