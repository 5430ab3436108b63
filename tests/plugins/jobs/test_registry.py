"""Versions in the registry: made once, judged with a reason, rejected after a red deploy."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException
from nightjar.hooks.registry import RegistryHook
from nightjar.operators.restore import RejectVersionOperator

from .conftest import context

GROUP = "nightjar-flights"


def register(digest: str, status: str = "Approved") -> dict[str, Any]:
    return RegistryHook(GROUP).register(
        image="serving:1",
        model_uri="s3://artifact/bundle.tar.gz",
        status=status,
        description="because " * 500,
        metadata={"bundle_digest": digest},
        unique="bundle_digest",
    )


def reject(version: int, arn: str, live: int | None, failures: list[str], rollout: Any = "rolled") -> int:
    target = {"version": version, "package_arn": arn, "live_version": live}
    operator = RejectVersionOperator(task_id="reject", group=GROUP, target=target, rollout=rollout, failures=failures)
    return operator.execute(context("manual__7"))


def test_a_group_that_is_not_there_is_empty(aws: Any) -> None:
    assert RegistryHook(GROUP).described() == []


def test_the_same_bundle_is_registered_once_and_left_as_it_was_judged(aws: Any) -> None:
    first = register("a")
    assert first["ModelPackageVersion"] == 1
    assert first["ApprovalDescription"].startswith("because")
    assert len(first["ApprovalDescription"]) == 1024
    RegistryHook(GROUP).judge(first["ModelPackageArn"], "Rejected", "its deploy failed")
    again = register("a")
    assert (again["ModelPackageVersion"], again["ModelApprovalStatus"]) == (1, "Rejected")
    assert register("b")["ModelPackageVersion"] == 2
    assert [answer["ModelPackageVersion"] for answer in RegistryHook(GROUP).described()] == [2, 1]


def test_a_red_deploy_rejects_its_version_with_the_reason(aws: Any) -> None:
    made = register("a")
    reject(1, made["ModelPackageArn"], None, ["None", "golden rows differ"])
    answer = RegistryHook(GROUP).described()[0]
    assert answer["ModelApprovalStatus"] == "Rejected"
    assert answer["ApprovalDescription"] == "Deploy manual__7 failed: golden rows differ"


def test_a_version_that_is_not_to_blame_is_not_rejected(aws: Any) -> None:
    arn = register("a")["ModelPackageArn"]
    with pytest.raises(AirflowSkipException, match="another image"):
        reject(1, arn, 1, ["no answer"])
    with pytest.raises(AirflowSkipException, match="Nothing was rolled out"):
        reject(1, arn, None, ["None"], rollout=None)
    assert RegistryHook(GROUP).described()[0]["ModelApprovalStatus"] == "Approved"
