"""The model registry and the artifact bucket of one account, as a promotion uses them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from include.lake import resources
from include.lake.uris import split_s3_uri
from include.pipelines.promotion.packages import DESCRIPTION_LENGTH, ApprovalStatus
from infra.delivery.command import DeliveryError

NO_GROUP = ("ValidationException", "ResourceNotFound", "ResourceNotFoundException")


@dataclass(frozen=True)
class ModelAccount:
    """One account.

    Attributes:
        name: What messages call it.
        sagemaker: A boto3 client.
        s3: A boto3 client.
    """

    name: str
    sagemaker: Any
    s3: Any

    def require_group(self, workload: str) -> None:
        """Checks that the account has the workload.

        Raises:
            DeliveryError: It has no model package group of the workload.
        """
        group = resources.model_group(workload)
        try:
            self.sagemaker.describe_model_package_group(ModelPackageGroupName=group)
        except ClientError as error:
            if error.response["Error"]["Code"] not in NO_GROUP:
                raise
            raise DeliveryError(
                f"The {self.name} account has no model package group {group}, so it has no workload {workload}. Deploy "
                "a release with the workload there first."
            ) from None

    def packages(self, workload: str) -> list[Mapping[str, Any]]:
        """DescribeModelPackage's answer for every version."""
        pages = self.sagemaker.get_paginator("list_model_packages").paginate(
            ModelPackageGroupName=resources.model_group(workload)
        )
        arns = [summary["ModelPackageArn"] for page in pages for summary in page["ModelPackageSummaryList"]]
        return [self.sagemaker.describe_model_package(ModelPackageName=arn) for arn in arns]

    def package(self, workload: str, version: int) -> Mapping[str, Any]:
        """DescribeModelPackage's answer for one version.

        Raises:
            DeliveryError: There is no such version.
        """
        known = {int(package["ModelPackageVersion"]): package for package in self.packages(workload)}
        if version not in known:
            listed = ", ".join(map(str, sorted(known))) or "none"
            raise DeliveryError(f"The {self.name} account has no version {version} of {workload}. Versions: {listed}.")
        return known[version]

    def read(self, uri: str, sha256: str) -> bytes:
        """Reads an object and checks its digest.

        Raises:
            DeliveryError: It does not exist, or has another digest.
        """
        bucket, key = split_s3_uri(uri)
        try:
            body: bytes = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except self.s3.exceptions.NoSuchKey:
            raise DeliveryError(f"{uri} of the {self.name} account does not exist. Retrain to make it again.") from None
        found = hashlib.sha256(body).hexdigest()
        if found != sha256:
            raise DeliveryError(
                f"{uri} of the {self.name} account has sha256 {found}, but the registry records {sha256}. It was "
                "replaced after it was registered: promote another version, and find out who wrote it."
            )
        return body

    def create(
        self, workload: str, source: Mapping[str, Any], image: str, metadata: Mapping[str, str], token: str
    ) -> Mapping[str, Any]:
        """Registers a version like ``source``, but pending, and with this image, bundle and metadata."""
        specification = source["InferenceSpecification"]
        kinds = {name: specification[name] for name in ("SupportedContentTypes", "SupportedResponseMIMETypes")}
        container = {"Image": image, "ModelDataUrl": metadata["bundle_uri"]}
        arn = self.sagemaker.create_model_package(
            ModelPackageGroupName=resources.model_group(workload),
            InferenceSpecification={**kinds, "Containers": [container]},
            ModelApprovalStatus="PendingManualApproval",
            CustomerMetadataProperties=dict(metadata),
            ClientToken=token,
        )["ModelPackageArn"]
        described: Mapping[str, Any] = self.sagemaker.describe_model_package(ModelPackageName=arn)
        return described

    def set_status(self, arn: str, status: ApprovalStatus, description: str) -> None:
        """Sets a version's approval status and the reason for it."""
        self.sagemaker.update_model_package(
            ModelPackageArn=arn, ModelApprovalStatus=status, ApprovalDescription=description[:DESCRIPTION_LENGTH]
        )
