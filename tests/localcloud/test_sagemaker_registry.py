"""The model registry, with the calls of the retrain and deploy DAGs."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.localcloud import Cloud

pytestmark = pytest.mark.stack

METADATA = {"workload": "flights", "dataset_version": "a" * 64, "auc": "0.71"}


def register(sagemaker: Any, group: str, status: str = "PendingManualApproval", **settings: Any) -> str:
    containers = [{"Image": "train:1", "ModelDataUrl": "s3://b/bundle.tar.gz"}]
    return sagemaker.create_model_package(
        ModelPackageGroupName=group,
        ModelApprovalStatus=status,
        InferenceSpecification={"Containers": containers, "SupportedContentTypes": ["application/json"]},
        **{"CustomerMetadataProperties": METADATA, **settings},
    )["ModelPackageArn"]


@pytest.fixture(scope="module")
def sagemaker(cloud: Cloud) -> Any:
    return cloud.client("sagemaker")


@pytest.fixture
def group(sagemaker: Any, request: pytest.FixtureRequest) -> str:
    name = request.node.name.replace("_", "-")[:60]
    sagemaker.create_model_package_group(ModelPackageGroupName=name, ModelPackageGroupDescription="models")
    return name


def test_versions_count_up_and_keep_every_field(sagemaker: Any, group: str) -> None:
    arns = [register(sagemaker, group) for _ in range(3)]
    packages = [sagemaker.describe_model_package(ModelPackageName=arn) for arn in arns]
    assert [p["ModelPackageVersion"] for p in packages] == [1, 2, 3]
    assert packages[0]["CustomerMetadataProperties"] == METADATA
    assert packages[0]["InferenceSpecification"]["Containers"][0]["ModelDataUrl"] == "s3://b/bundle.tar.gz"
    assert packages[0]["ModelPackageGroupName"] == group and packages[0]["ModelPackageStatus"] == "Completed"


def test_the_same_token_is_the_same_version(sagemaker: Any, group: str) -> None:
    first = register(sagemaker, group, ClientToken="token-" + "1" * 30)
    assert register(sagemaker, group, ClientToken="token-" + "1" * 30) == first
    assert register(sagemaker, group, ClientToken="token-" + "2" * 30) != first


def test_an_approval_changes_no_other_field(sagemaker: Any, group: str) -> None:
    arn = register(sagemaker, group)
    sagemaker.update_model_package(
        ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="better by 0.02"
    )
    sagemaker.update_model_package(ModelPackageArn=arn, CustomerMetadataProperties={"decision": "promote"})
    package = sagemaker.describe_model_package(ModelPackageName=arn)
    assert package["ModelApprovalStatus"] == "Approved" and package["ApprovalDescription"] == "better by 0.02"
    assert package["CustomerMetadataProperties"] == {**METADATA, "decision": "promote"}


def test_packages_are_listed_by_group_and_status(sagemaker: Any, group: str) -> None:
    arns = [register(sagemaker, group, status) for status in ("Approved", "Rejected", "Approved")]
    listed = sagemaker.list_model_packages(
        ModelPackageGroupName=group, ModelApprovalStatus="Approved", SortBy="CreationTime", SortOrder="Descending"
    )["ModelPackageSummaryList"]
    assert [p["ModelPackageArn"] for p in listed] == [arns[2], arns[0]]
    newest = sagemaker.list_model_packages(ModelPackageGroupName=group, SortOrder="Descending", MaxResults=1)
    assert [p["ModelPackageVersion"] for p in newest["ModelPackageSummaryList"]] == [3]


def test_a_group_cannot_be_created_twice(sagemaker: Any, group: str) -> None:
    register(sagemaker, group)
    with pytest.raises(ClientError, match="already exists"):
        sagemaker.create_model_package_group(ModelPackageGroupName=group)
    assert register(sagemaker, group).endswith("/2")


def test_limits_of_metadata_are_sagemakers(sagemaker: Any, group: str) -> None:
    with pytest.raises(ClientError, match="less than or equal to 256"):
        register(sagemaker, group, CustomerMetadataProperties={"long": "x" * 257})
    with pytest.raises(ClientError, match="less than or equal to 50"):
        register(sagemaker, group, CustomerMetadataProperties={f"k{n}": "v" for n in range(51)})
    assert sagemaker.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"] == []
