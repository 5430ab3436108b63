"""Versions in the registry: made once, judged with a reason, rejected after a red deploy."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException
from nightjar.jobs.sagemaker.registry import RegistryHook
from nightjar.operators.restore import RejectVersionOperator

from tests.support.job_clouds import context

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("on_cloud")]


@pytest.fixture
def group() -> str:
    return f"nightjar-{uuid.uuid4().hex[:8]}"


def register(group: str, digest: str, status: str = "Approved") -> dict[str, Any]:
    return RegistryHook(group).register(
        image="serving:1",
        model_uri="s3://artifact/bundle.tar.gz",
        status=status,
        description="because " * 500,
        metadata={"bundle_digest": digest},
        unique="bundle_digest",
    )


def reject(group: str, version: int, arn: str, live: int | None, failures: list[str], rollout: Any = "rolled") -> int:
    target = {"version": version, "package_arn": arn, "live_version": live}
    operator = RejectVersionOperator(task_id="reject", group=group, target=target, rollout=rollout, failures=failures)
    return operator.execute(context("manual__7"))


def test_a_group_that_is_not_there_is_empty(group: str) -> None:
    assert RegistryHook(group).described() == []


def test_the_same_bundle_is_registered_once_and_left_as_it_was_judged(group: str) -> None:
    first = register(group, "a")
    assert first["ModelPackageVersion"] == 1
    assert first["ApprovalDescription"].startswith("because")
    assert len(first["ApprovalDescription"]) == 1024
    RegistryHook(group).judge(first["ModelPackageArn"], "Rejected", "its deploy failed")
    again = register(group, "a")
    assert (again["ModelPackageVersion"], again["ModelApprovalStatus"]) == (1, "Rejected")
    assert register(group, "b")["ModelPackageVersion"] == 2
    assert [answer["ModelPackageVersion"] for answer in RegistryHook(group).described()] == [2, 1]


def test_a_red_deploy_rejects_its_version_with_the_reason(group: str) -> None:
    made = register(group, "a")
    reject(group, 1, made["ModelPackageArn"], None, ["None", "golden rows differ"])
    answer = RegistryHook(group).described()[0]
    assert answer["ModelApprovalStatus"] == "Rejected"
    assert answer["ApprovalDescription"] == "Deploy manual__7 failed: golden rows differ"


def test_a_version_that_is_not_to_blame_is_not_rejected(group: str) -> None:
    arn = register(group, "a")["ModelPackageArn"]
    with pytest.raises(AirflowSkipException, match="another image"):
        reject(group, 1, arn, 1, ["no answer"])
    with pytest.raises(AirflowSkipException, match="Nothing was rolled out"):
        reject(group, 1, arn, None, ["None"], rollout=None)
    assert RegistryHook(group).described()[0]["ModelApprovalStatus"] == "Approved"
