"""Rules that the policies of ``infra/policies`` keep, held against AWS's reference of actions and resources."""

from __future__ import annotations

import json
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Literal

import pytest
from policy_sentry.querying.actions import get_action_data
from policy_sentry.querying.all import get_all_actions

from infra.laptop.bootstrap.definitions import POLICIES
from infra.laptop.bootstrap.roles import Role, all_roles

ALL_ACTIONS = {action.lower() for action in get_all_actions()}


ROLES = all_roles(["flights"])
EACH = pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)


def statements(role: Role, document: Literal["permissions", "trust"] = "permissions") -> list[dict[str, Any]]:
    """The statements of a policy document of a role."""
    return list(role.document(document)["Statement"])


def test_the_task_may_put_to_the_prediction_logs_and_to_nothing_else_of_firehose() -> None:
    (allowed,) = [
        s
        for s in statements(Role("ecs-task", "flights"))
        if any(action.startswith("firehose") for action in s["Action"])
    ]
    assert allowed["Action"] == ["firehose:PutRecordBatch"]
    assert allowed["Resource"] == [
        "arn:aws:firehose:us-east-1:123456789012:deliverystream/nightjar-flights-predictions"
    ]


@EACH
def test_every_action_exists_and_is_named_in_full(role: Role) -> None:
    actions = [action for statement in statements(role) for action in statement["Action"]]
    assert {action.lower() for action in actions} <= ALL_ACTIONS


@EACH
def test_every_resource_is_an_arn_wherever_the_service_supports_one(role: Role) -> None:
    for statement in statements(role):
        if "*" in statement["Resource"]:
            for action in statement["Action"]:
                service, name = action.split(":")
                described = get_action_data(service, name)[service]
                # A container instance is no resource of ours: ListTasks is limited by its condition instead.
                formats = {entry["resource_arn_format"] for entry in described} - {"*"}
                supported = [arn for arn in formats if ":container-instance/" not in arn]
                assert not supported or "Condition" in statement, f"{action} supports {supported}"


@EACH
def test_only_its_service_may_assume_a_role_and_only_for_this_account(role: Role) -> None:
    (trust,) = statements(role, "trust")
    assert set(trust["Principal"]) == {"Service"}
    assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": "123456789012"}


def test_a_role_is_passed_to_its_service_only() -> None:
    passed = [s for s in statements(Role("airflow")) if "iam:PassRole" in s["Action"]]
    assert passed
    for statement in passed:
        (service,) = statement["Condition"]["StringEquals"].values()
        for arn in statement["Resource"]:
            passed_on = [role for role in ROLES if fnmatch(role.arn, arn)]
            assert passed_on, f"{arn} is no role"
            for role in passed_on:
                (trust,) = statements(role, "trust")
                assert trust["Principal"]["Service"] == service


RAW = "nightjar-raw-123456789012"
WRITES = (
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:PutObjectRetention",
    "s3:PutObjectLegalHold",
    "s3:BypassGovernanceRetention",
)


def writers_of_raw(folder: Path) -> set[tuple[str, str]]:
    """Each role, by its folder, and what it may do to raw objects besides reading."""
    return {
        (file.parent.name, action)
        for file in folder.glob("*/permissions.json")
        for statement in json.loads(file.read_text().replace("${raw}", RAW))["Statement"]
        for arn in statement["Resource"]
        for granted in statement["Action"]
        for action in WRITES
        if fnmatch(f"arn:aws:s3:::{RAW}/raw/x", arn) and fnmatch(action.lower(), granted.lower())
    }


def test_only_ingestion_writes_raw_objects_and_no_role_deletes_one() -> None:
    assert writers_of_raw(POLICIES) == {("airflow", "s3:PutObject")}


@pytest.mark.parametrize(
    "resource", ["*", "arn:aws:s3:::nightjar-*", "arn:aws:s3:::${raw}/*", "arn:aws:s3:::${raw}/raw/*"]
)
@pytest.mark.parametrize("action", ["s3:DeleteObject", "s3:Delete*", "s3:*"])
def test_a_role_that_could_delete_raw_objects_is_found(tmp_path: Path, resource: str, action: str) -> None:
    (tmp_path / "job").mkdir()
    statement = {"Effect": "Allow", "Action": [action], "Resource": [resource]}
    (tmp_path / "job" / "permissions.json").write_text(json.dumps({"Statement": [statement]}))
    assert ("job", "s3:DeleteObject") in writers_of_raw(tmp_path)
