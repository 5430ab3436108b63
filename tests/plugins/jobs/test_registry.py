"""Versions in the registry: registered once, with an approval status and its reason."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from nightjar.jobs.sagemaker.registry import ApprovalStatus, RegistryHook

from tests.support.localcloud import Cloud

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("on_cloud")]


@pytest.fixture
def group(cloud: Cloud) -> str:
    """A group as infrastructure creates it."""
    name = f"nightjar-{uuid.uuid4().hex[:8]}"
    cloud.client("sagemaker").create_model_package_group(ModelPackageGroupName=name)
    return name


def register(group: str, digest: str, status: ApprovalStatus = "Approved") -> Any:
    return RegistryHook(group).register(
        image="serving:1",
        model_uri="s3://artifact/bundle.tar.gz",
        status=status,
        description="because " * 500,
        metadata={"bundle_digest": digest},
        unique="bundle_digest",
    )


def test_a_group_that_does_not_exist_is_empty() -> None:
    assert RegistryHook("nightjar-none").described() == []


def test_the_same_bundle_is_registered_once_and_keeps_its_approval_status(group: str) -> None:
    first = register(group, "a")
    assert first["ModelPackageVersion"] == 1
    assert first["ApprovalDescription"].startswith("because")
    assert len(first["ApprovalDescription"]) == 1024
    RegistryHook(group).set_approval_status(first["ModelPackageArn"], "Rejected", "its deploy failed")
    again = register(group, "a")
    assert (again["ModelPackageVersion"], again["ModelApprovalStatus"]) == (1, "Rejected")
    assert register(group, "b")["ModelPackageVersion"] == 2
    assert [answer["ModelPackageVersion"] for answer in RegistryHook(group).described()] == [2, 1]
