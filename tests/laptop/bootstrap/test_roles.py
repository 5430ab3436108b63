"""The laptop makes the roles of ``infra/definitions/roles.yaml`` and fills in the documents of ``infra/policies``."""

from __future__ import annotations

import json

import pytest

from infra.laptop.bootstrap.definitions import POLICIES, definition
from infra.laptop.bootstrap.roles import Role, all_roles

ROLES = all_roles(["flights", "rides"])


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
@pytest.mark.parametrize("document", ["permissions", "trust"])
def test_every_placeholder_is_filled_in(role: Role, document: str) -> None:
    text = json.dumps(role.document(document))  # type: ignore[arg-type]
    assert "${" not in text
    assert json.loads(text)["Version"] == "2012-10-17"


def test_each_workload_has_its_own_roles_and_all_share_the_platforms() -> None:
    names = [role.name for role in ROLES]
    assert "nightjar-airflow" in names
    assert {"nightjar-flights-ecs-task", "nightjar-rides-ecs-task"} <= set(names)
    assert len(names) == len(set(names))


def test_a_workloads_role_reaches_no_other_workload() -> None:
    for role in ROLES:
        if role.workload == "flights":
            text = json.dumps(role.document("permissions"))
            assert "flights" in text
            assert "rides" not in text


def test_every_role_is_listed_and_has_its_documents() -> None:
    folders = {path.parent.name for path in POLICIES.glob("*/trust.json")}
    assert folders == set(definition("roles"))


def test_a_role_that_only_terraform_makes_is_not_the_laptops() -> None:
    assert definition("roles")["flow-logs"]["only"] == "aws"
    assert "nightjar-flow-logs" not in [role.name for role in ROLES]
