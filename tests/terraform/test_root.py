"""The whole root on a local cloud: it applies, a second plan is empty, destroy leaves nothing."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from infra.laptop.terraform.commands import LOCAL, example_variables
from infra.laptop.terraform.workspace import Workspace
from tests.support.applied_root import Root

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1800)]

REFUSED = r"local\s+cloud\s+(cannot\s+do|has\s+no\s+service)"


def resources_in_state(workspace: Workspace) -> list[dict[str, Any]]:
    """The resources that Terraform believes to exist."""
    return list(json.loads((workspace.configuration / "terraform.tfstate").read_text())["resources"])


def test_everything_that_is_planned_is_made(applied_root: Root) -> None:
    assert applied_root.applied.code == 0, applied_root.applied.problem()
    assert set(applied_root.applied.done) == set(applied_root.applied.planned)


def test_a_second_plan_changes_nothing(applied_root: Root) -> None:
    plan = applied_root.workspace.plan("-detailed-exitcode")
    assert plan.planned == {}, plan.planned
    assert plan.code == 0, plan.problem()


def test_the_outputs_name_what_was_made(applied_root: Root) -> None:
    outputs = applied_root.workspace.outputs()
    keys = {key["KeyArn"] for key in applied_root.cloud.client("kms").list_keys()["Keys"]}
    assert set(outputs["key_arns"].values()) <= keys
    assert "flights/ecs-task" in outputs["role_arns"]


def test_what_the_local_cloud_refuses_fails_at_once_by_name(applied_root: Root) -> None:
    """With every switch on. The file of the local environment switches off what is refused, and nothing else."""
    applied_root.workspace.prepare(example_variables(LOCAL) | {"switches": {}})
    refused = applied_root.workspace.apply()
    applied_root.workspace.prepare(example_variables(LOCAL))
    assert refused.code == 1
    assert [error for error in refused.errors if not re.search(REFUSED, error)] == []


def test_destroy_leaves_nothing(applied_root: Root) -> None:
    destroyed = applied_root.workspace.destroy()
    assert destroyed.code == 0, destroyed.problem()
    assert resources_in_state(applied_root.workspace) == []
    names = {role["RoleName"] for role in applied_root.cloud.client("iam").list_roles()["Roles"]}
    assert not {name for name in names if name.startswith("nightjar-")}
