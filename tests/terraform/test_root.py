"""The whole root on a local cloud: it applies, a second plan is empty, destroy leaves nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from infra.laptop.terraform.commands import LOCAL, example_variables
from infra.laptop.terraform.events import Outcome
from infra.laptop.terraform.workspace import Workspace
from tests.support.localcloud import Cloud, base_config, running_cloud
from tests.support.terraform import environment_of, find_terraform

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1800)]

REFUSED = r"local\s+cloud\s+(cannot\s+do|has\s+no\s+service)"


@dataclass(frozen=True)
class Root:
    """The applied root.

    Attributes:
        cloud: The local cloud in which it is.
        workspace: The folder of Terraform.
        applied: What the apply did.
    """

    cloud: Cloud
    workspace: Workspace
    applied: Outcome


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Root]:
    """Applied once for all tests of the module, with everything that the local cloud does not refuse."""
    terraform = find_terraform()
    with running_cloud(tmp_path_factory.mktemp("cloud"), base_config()) as cloud:
        workspace = Workspace(terraform, tmp_path_factory.mktemp("root"), LOCAL, environment_of(cloud))
        workspace.prepare(example_variables(LOCAL))
        yield Root(cloud, workspace, workspace.apply())


def resources_in_state(workspace: Workspace) -> list[dict[str, Any]]:
    """The resources that Terraform believes to exist."""
    return list(json.loads((workspace.configuration / "terraform.tfstate").read_text())["resources"])


def test_everything_that_is_planned_is_made(root: Root) -> None:
    assert root.applied.code == 0, root.applied.problem()
    assert set(root.applied.done) == set(root.applied.planned)


def test_a_second_plan_changes_nothing(root: Root) -> None:
    plan = root.workspace.plan("-detailed-exitcode")
    assert plan.planned == {}, plan.planned
    assert plan.code == 0, plan.problem()


def test_the_outputs_name_what_was_made(root: Root) -> None:
    outputs = root.workspace.outputs()
    keys = {key["KeyArn"] for key in root.cloud.client("kms").list_keys()["Keys"]}
    assert set(outputs["key_arns"].values()) <= keys
    assert "flights/ecs-task" in outputs["role_arns"]


def test_what_the_local_cloud_refuses_fails_at_once_by_name(root: Root) -> None:
    """With every switch on. The file of the local environment switches off what is refused, and nothing else."""
    root.workspace.prepare(example_variables(LOCAL) | {"switches": {}})
    refused = root.workspace.apply()
    root.workspace.prepare(example_variables(LOCAL))
    assert refused.code == 1
    assert [error for error in refused.errors if not re.search(REFUSED, error)] == []


def test_destroy_leaves_nothing(root: Root) -> None:
    destroyed = root.workspace.destroy()
    assert destroyed.code == 0, destroyed.problem()
    assert resources_in_state(root.workspace) == []
    names = {role["RoleName"] for role in root.cloud.client("iam").list_roles()["Roles"]}
    assert not {name for name in names if name.startswith("nightjar-")}
