"""Rules that the policies of ``infra/policies`` keep, held against AWS's reference of actions and resources."""

from __future__ import annotations

import json
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from infra.laptop.bootstrap.definitions import POLICIES, policy
from infra.laptop.bootstrap.roles import Role
from infra.laptop.iam.grants import RoleKind, kinds
from tests.support.policy_rules import listed, problems

KINDS = kinds()
EACH = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
# The services that AWS documents to name the resource for which they assume a role.
NAME_THEIR_RESOURCE = {"airflow", "airflow-env", "ecs-tasks", "sagemaker", "vpc-flow-logs"}
INLINE_CHARACTERS, MANAGED_CHARACTERS = 10_240, 6_144  # IAM's limits, without white space


def statements(kind: RoleKind) -> list[dict[str, Any]]:
    """The statements of all permission documents of a role."""
    return [statement for document in kind.documents("flights").values() for statement in document["Statement"]]


def test_the_task_may_put_to_the_prediction_logs_and_to_nothing_else_of_firehose() -> None:
    (task,) = [kind for kind in KINDS if kind.name == "ecs-task"]
    (allowed,) = [s for s in statements(task) if any(action.startswith("firehose") for action in s["Action"])]
    assert allowed["Action"] == ["firehose:PutRecordBatch"]
    stream = "arn:aws:firehose:us-east-1:123456789012:deliverystream/nightjar-flights-predictions"
    assert allowed["Resource"] == [stream]


@EACH
def test_a_role_is_granted_only_what_the_rules_allow(kind: RoleKind) -> None:
    assert [problem for statement in statements(kind) for problem in problems(statement)] == []


GOOD = {"Sid": "A", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::b/*"]}
KEY = "arn:aws:kms:us-east-1:1:key/lake"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"Action": ["s3:*"]}, "s3:* is no action"),
        ({"Action": ["*"]}, "* is no action"),
        ({"Action": ["s3:GetObjekt"]}, "s3:GetObjekt is no action"),
        ({"NotAction": ["s3:GetObject"]}, "NotAction"),
        ({"Resource": ["*"]}, "s3:GetObject on *, although it takes"),
        ({"Action": ["cloudwatch:PutMetricData"]}, "cloudwatch:PutMetricData takes no resource"),
        ({"Action": ["s3:ListBucket"]}, "s3:ListBucket takes accesspoint, bucket, and no resource is one"),
        ({"Action": ["ecs:ListTasks"], "Resource": ["*"]}, "ecs:ListTasks on *, although it takes container-instance"),
        ({"Action": ["iam:PassRole"], "Resource": ["arn:aws:iam::1:role/a"]}, "iam:PassedToService"),
        ({"Action": ["kms:Decrypt"], "Resource": [KEY]}, "kms:ViaService"),
        ({"Action": ["kms:Decrypt"], "Resource": ["arn:aws:kms:us-east-1:1:key/*"]}, "kms:ViaService"),
        ({"Action": ["kms:DescribeKey"], "Resource": ["arn:aws:kms:us-east-1:1:key/*"]}, "needs a key"),
    ],
)
def test_a_statement_that_breaks_a_rule_is_refused(changed: dict[str, Any], told: str) -> None:
    assert problems(GOOD) == []
    assert told in "\n".join(problems(GOOD | changed))


def test_what_takes_no_resource_may_have_all_of_them_and_a_condition_may_narrow_what_cannot_be_named() -> None:
    metrics = {"Action": ["cloudwatch:PutMetricData"], "Resource": ["*"]}
    tasks = {"Action": ["ecs:ListTasks"], "Resource": ["*"], "Condition": {"ArnEquals": {"ecs:cluster": "arn:a"}}}
    assert problems(GOOD | metrics) == []
    assert problems(GOOD | tasks) == []
    tasks["Condition"] = {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}  # narrows nothing of the service
    assert problems(GOOD | tasks)


def test_who_administers_keys_names_them_by_their_tag() -> None:
    keys = {"Action": ["kms:PutKeyPolicy"], "Resource": ["arn:aws:kms:us-east-1:1:key/*"]}
    assert problems(GOOD | keys)
    assert problems(GOOD | keys | {"Condition": {"StringEquals": {"aws:ResourceTag/project": "nightjar"}}}) == []


@EACH
def test_statements_have_names_of_their_own(kind: RoleKind) -> None:
    sids = [statement["Sid"] for statement in statements(kind)]
    assert len(sids) == len(set(sids))


@EACH
def test_documents_are_within_iams_limits(kind: RoleKind) -> None:
    for name, document in kind.documents("a-workload-with-a-long-name").items():
        limit = INLINE_CHARACTERS if name == "permissions" else MANAGED_CHARACTERS
        assert len(json.dumps(document, separators=(",", ":"))) < limit * 0.9, name  # real names are longer


@EACH
def test_only_its_service_may_assume_a_role_and_only_for_this_account(kind: RoleKind) -> None:
    trust = kind.trust()
    if "Federated" in trust["Principal"]:
        pytest.skip("the delivery's roles: tests/terraform")
    assert set(trust["Principal"]) == {"Service"}
    assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": "123456789012"}
    services = {name.removesuffix(".amazonaws.com") for name in listed(trust["Principal"]["Service"])}
    sources = listed(trust["Condition"].get("ArnLike", {}).get("aws:SourceArn"))
    assert bool(sources) == bool(services & NAME_THEIR_RESOURCE)
    assert all(":us-east-1:123456789012:" in source for source in sources)


def within_boundary(action: str, boundary: dict[str, Any]) -> bool:
    """Whether the permissions boundary allows an action on at least some resource."""
    allowed, denied = (
        [
            pattern
            for statement in boundary["Statement"]
            if statement["Effect"] == effect
            for pattern in listed(statement["Action"])
        ]
        for effect in ("Allow", "Deny")
    )
    return bool(granting([action], allowed)) and not granting([action], denied)


def granting(actions: list[str], patterns: list[str]) -> list[str]:
    """The actions that a pattern covers."""
    return [action for action in actions if any(fnmatch(action.lower(), pattern.lower()) for pattern in patterns)]


@EACH
def test_the_boundary_takes_nothing_from_a_role_that_it_has(kind: RoleKind) -> None:
    if "Federated" in kind.trusted():
        pytest.skip("the delivery's roles are above the boundary")
    boundary = policy("", "boundary")
    granted = {action for statement in statements(kind) for action in statement["Action"]}
    assert {action for action in granted if not within_boundary(action, boundary)} == set()


def test_the_boundary_keeps_roles_from_what_terraform_owns() -> None:
    boundary = policy("", "boundary")
    assert within_boundary("s3:GetObject", boundary)
    for action in (
        "iam:CreateRole",
        "kms:ScheduleKeyDeletion",
        "s3:DeleteBucket",
        "ec2:RunInstances",
        "logs:DeleteLogGroup",
    ):
        assert not within_boundary(action, boundary), action


def test_a_role_is_passed_to_its_service_only() -> None:
    roles = {kind: kind.role("flights") for kind in KINDS}
    passed = [s for s in statements(kind_of(Role("airflow"))) if "iam:PassRole" in s["Action"]]
    assert passed
    for statement in passed:
        (service,) = statement["Condition"]["StringEquals"].values()
        for arn in statement["Resource"]:
            passed_on = [kind for kind, role in roles.items() if fnmatch(role.arn, arn)]
            assert passed_on, f"{arn} is no role"
            assert {kind.trusted()["Service"] for kind in passed_on} == {service}


def kind_of(role: Role) -> RoleKind:
    """The kind of a role."""
    return next(kind for kind in KINDS if kind.name == role.kind)


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
        for file in folder.glob("*/permissions*.json")
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
