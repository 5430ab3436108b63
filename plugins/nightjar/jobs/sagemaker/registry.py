"""The model registry: versions of a SageMaker model package group."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Literal

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mypy_boto3_sagemaker import SageMakerClient

ApprovalStatus = Literal["Approved", "PendingManualApproval", "Rejected"]

THREADS = 8
DESCRIPTION_LENGTH = 1024  # SageMaker's limit for an ApprovalDescription


class RegistryHook(AwsBaseHook):
    """One model package group.

    Args:
        group: The group's name.
        aws_conn_id: Airflow connection; None for boto3's own credentials.
        **kwargs: Arguments of every AWS hook, such as ``region_name``.
    """

    def __init__(self, group: str, *, aws_conn_id: str | None = None, **kwargs: Any) -> None:
        super().__init__(aws_conn_id=aws_conn_id, client_type="sagemaker", **kwargs)
        self.group = group

    @property
    def _client(self) -> SageMakerClient:
        return self.conn  # the provider does not type its clients

    def described(self) -> Sequence[Mapping[str, Any]]:
        """Returns DescribeModelPackage's answer for every version, newest first; empty where there is no group yet."""
        pages = self._client.get_paginator("list_model_packages").paginate(ModelPackageGroupName=self.group)
        try:
            arns = [summary["ModelPackageArn"] for page in pages for summary in page["ModelPackageSummaryList"]]
        except ClientError as error:
            if error.response["Error"]["Code"] in ("ValidationException", "ResourceNotFound"):
                return []
            raise
        with ThreadPoolExecutor(THREADS) as pool:
            answers = list(pool.map(lambda arn: self._client.describe_model_package(ModelPackageName=arn), arns))
        return sorted(answers, key=lambda answer: answer["ModelPackageVersion"], reverse=True)

    def register(
        self,
        *,
        image: str,
        model_uri: str,
        status: ApprovalStatus,
        description: str,
        metadata: Mapping[str, str],
        unique: str,
    ) -> Mapping[str, Any]:
        """Creates a version, unless one exists whose metadata has the same value under the key ``unique``.

        An existing version is not changed: its approval status may have been set since. Infrastructure creates the
        group.

        Returns:
            The version's description.
        """
        for answer in self.described():
            if answer.get("CustomerMetadataProperties", {}).get(unique) == metadata[unique]:
                return answer
        arn = self._client.create_model_package(
            ModelPackageGroupName=self.group,
            InferenceSpecification={
                "Containers": [{"Image": image, "ModelDataUrl": model_uri}],
                "SupportedContentTypes": ["application/json"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
            ModelApprovalStatus=status,
            CustomerMetadataProperties=dict(metadata),
            # Two registrations at the same instant make one version.
            ClientToken=hashlib.sha256(f"{self.group} {metadata[unique]}".encode()).hexdigest()[:36],
        )["ModelPackageArn"]
        # CreateModelPackage takes no ApprovalDescription.
        self.set_approval_status(arn, status, description)
        return self._client.describe_model_package(ModelPackageName=arn)

    def set_approval_status(self, arn: str, status: ApprovalStatus, description: str) -> None:
        """Sets a version's approval status and the reason for it."""
        self._client.update_model_package(
            ModelPackageArn=arn, ModelApprovalStatus=status, ApprovalDescription=description[:DESCRIPTION_LENGTH]
        )

    def add_metadata(self, arn: str, metadata: Mapping[str, str]) -> Mapping[str, Any]:
        """Adds entries to a version's metadata, or replaces those of the same names; returns its description."""
        self._client.update_model_package(ModelPackageArn=arn, CustomerMetadataProperties=dict(metadata))
        return self._client.describe_model_package(ModelPackageName=arn)
