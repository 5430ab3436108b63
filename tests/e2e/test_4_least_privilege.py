"""The roles may do what the platform does, and nothing else. These tests run last: they look at all requests before.

Each role in turn loses one permission: what it does then fails with that permission's name, and nobody blames the
model version for it.
"""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from include.model import bundle
from infra.laptop import registry
from infra.laptop.bootstrap.definitions import definition
from infra.laptop.bootstrap.roles import POLICY_NAME, Role
from infra.laptop.iam import exceptions
from infra.laptop.iam.grants import kinds
from infra.localcloud.authorization import usage
from infra.localcloud.config import load
from tests.support.iam_records import provoking
from tests.support.loop import Loop

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

# The role of a function: tests/lambdas runs the function with it, and tries its limits.
OF_FUNCTIONS = {"deadlines"}


def compared(loop: Loop) -> usage.Usage:
    """All requests of the stack against the policies of the roles."""
    return usage.of_server(load(loop.config.state / "cloud.yaml"))


@contextmanager
def changed_policy(loop: Loop, role: Role, change: Any) -> Iterator[None]:
    """Changes a role's policy, and puts it back."""
    iam = loop.aws.iam
    before = iam.get_role_policy(RoleName=role.name, PolicyName=POLICY_NAME)["PolicyDocument"]
    document = copy.deepcopy(before)
    change(document)
    iam.put_role_policy(RoleName=role.name, PolicyName=POLICY_NAME, PolicyDocument=json.dumps(document))
    try:
        yield
    finally:
        iam.put_role_policy(RoleName=role.name, PolicyName=POLICY_NAME, PolicyDocument=json.dumps(before))


@contextmanager
def without(loop: Loop, role: Role, action: str) -> Iterator[None]:
    """Takes an action from every statement of a role's policy."""

    def remove(document: dict[str, Any]) -> None:
        for statement in document["Statement"]:
            statement["Action"] = [known for known in statement["Action"] if known != action]
        # A policy has at least one statement, and a statement at least one action.
        kept = [statement for statement in document["Statement"] if statement["Action"]]
        document["Statement"] = kept or [{"Effect": "Deny", "Action": [action], "Resource": ["*"]}]

    with provoking(loop.provoked, role.name, action), changed_policy(loop, role, remove):
        yield


def test_no_call_was_denied_and_no_permission_is_unused(loop: Loop) -> None:
    found = compared(loop)
    assert found.refused == []
    known, left = exceptions.load(), list(found.unused)
    for kind in kinds():
        of_kind = [grant for grant in left if kind.workload_of(grant.role.rsplit("/", 1)[-1]) is not None]
        left = [grant for grant in left if grant not in of_kind]
        # Where Terraform has made the resources, there are roles of which this stack has no part that assumes them.
        left += [] if kind.on_aws or kind.name in OF_FUNCTIONS else exceptions.explain(kind.name, of_kind, known)[0]
    assert left == []


@pytest.mark.parametrize("role", [Role("glue"), Role("ecs-task", "flights")], ids=lambda role: role.name)
def test_a_permission_that_nothing_uses_is_reported(loop: Loop, role: Role) -> None:
    def add(document: dict[str, Any]) -> None:
        document["Statement"].append({"Effect": "Allow", "Action": ["sqs:SendMessage"], "Resource": ["*"]})

    before = set(compared(loop).unused)
    with changed_policy(loop, role, add):
        (unused,) = set(compared(loop).unused) - before
    assert (unused.role, unused.action) == (role.arn, "sqs:SendMessage")


def test_every_role_is_tried() -> None:
    tried = {part.removeprefix("the_").split("_role")[0] for part in Path(__file__).read_text().split("def test_")}
    on_the_laptop = {kind for kind, role in definition("roles").items() if role.get("only") != "aws"}
    assert {kind.replace("-", "_") for kind in on_the_laptop - OF_FUNCTIONS} <= tried


def test_the_airflow_role(loop: Loop) -> None:
    with without(loop, Role("airflow"), "athena:StartQueryExecution"):
        text = loop.failed_run("retrain", date=str(loop.days[0]), fresh=True)
    assert "not authorized to perform: athena:StartQueryExecution" in text


def test_the_glue_role(loop: Loop) -> None:
    with without(loop, Role("glue"), "s3:GetObject"):
        text = loop.failed_run("process", date=str(loop.days[0]), fresh=True)
    assert "not authorized to perform: s3:GetObject" in text


def test_the_sagemaker_role(loop: Loop) -> None:
    with without(loop, Role("sagemaker"), "ecr:BatchGetImage"):
        text = loop.failed_run("retrain", date=str(loop.days[0]), fresh=True)
    assert "not authorized to perform: ecr:BatchGetImage" in text


def denied_deploy(loop: Loop, role: Role, action: str) -> None:
    """A deploy without one permission of the service's roles is red, restores the service, and rejects no version."""
    live = loop.live()
    version = loop.register(registry.content(loop.aws, loop.live_metadata()["bundle_uri"]))
    with without(loop, role, action):
        text = loop.failed_run("deploy", version=version)
    assert f"not authorized to perform: {action}" in text
    assert loop.package(version)["ModelApprovalStatus"] == "Approved"
    assert loop.live()["version"] == live["version"]
    assert loop.service("/version").json()["model_version"] == str(live["version"])


def test_the_ecs_task_role(loop: Loop) -> None:
    denied_deploy(loop, Role("ecs-task", "flights"), "s3:GetObject")


def test_the_ecs_execution_role(loop: Loop) -> None:
    denied_deploy(loop, Role("ecs-execution", "flights"), "ecr:GetDownloadUrlForLayer")


def test_the_firehose_role(loop: Loop) -> None:
    row = json.loads(loop.live_files()[bundle.GOLDEN].splitlines()[0])
    with without(loop, Role("firehose", "flights"), "s3:PutObject"):
        assert loop.service("/predict", row["request"]).status_code == 200
        deadline = time.monotonic() + 60
        while not any(refusal.action == "s3:PutObject" for refusal in compared(loop).refused):
            assert time.monotonic() < deadline, "the delivery was not refused"
            time.sleep(0.5)
