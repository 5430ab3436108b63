"""Parliament and cloudsplaining on policies: a wildcard is found, and only a reason excuses a finding."""

from __future__ import annotations

from typing import Any

import pytest

from scripts.scan_policies import documents, problems, scan


def policy(action: str, resource: str) -> dict[str, Any]:
    """A document with one statement."""
    statement = {"Sid": "A", "Effect": "Allow", "Action": [action], "Resource": [resource]}
    return {"Version": "2012-10-17", "Statement": [statement]}


@pytest.mark.stack
@pytest.mark.parametrize(
    ("action", "resource", "finding"),
    [
        ("*", "*", "service_wildcard"),
        ("s3:*", "*", "service_wildcard"),
        ("s3:GetObject", "*", "allows_data_exfiltration_actions"),
        ("iam:PassRole", "*", "infrastructure_modification"),
        ("iam:PutRolePolicy", "*", "permissions_management_without_constraints"),
        ("s3:GetObject", "arn:aws:s3:::bucket", "RESOURCE_MISMATCH"),
        ("s3:GetObjekt", "*", "UNKNOWN_ACTION"),
    ],
)
def test_a_policy_that_allows_too_much_or_nothing_is_found(action: str, resource: str, finding: str) -> None:
    found = scan({"role/permissions": policy(action, resource)})
    assert finding in {one["finding"] for one in found}
    assert any("role/permissions.json" in line for line in problems(found, []))


@pytest.mark.stack
def test_a_narrow_policy_has_no_finding() -> None:
    assert scan({"role/permissions": policy("s3:GetObject", "arn:aws:s3:::bucket/prefix/*")}) == []


FOUND = {"document": "role/permissions", "finding": "RESOURCE_STAR", "subject": "ecs:ListTasks"}


def test_a_finding_needs_a_reason() -> None:
    reason = {"finding": "RESOURCE_STAR", "subject": "ecs:ListTasks", "reason": "it takes none"}
    assert problems([FOUND], [reason]) == []
    assert len(problems([FOUND], [reason | {"reason": ""}])) == 1
    # Of another action: the finding has no reason, and the reason no finding.
    assert len(problems([FOUND], [reason | {"subject": "ecs:StopTask"}])) == 2


def test_every_document_is_scanned_with_its_placeholders_filled_in() -> None:
    scanned = documents()
    assert {"airflow/permissions", "airflow/permissions-aws", "ecs-task/permissions"} <= set(scanned)
    assert "${" not in str(scanned)
