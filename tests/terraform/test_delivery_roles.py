"""The whole root on a local cloud, applied once, by the delivery's roles, whose policies it enforces.

One role applies and destroys, the other one plans. What they did is recorded for ``make iam``, which lists what they
may do and did not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.laptop.config import LaptopConfig
from infra.laptop.iam import record
from infra.laptop.iam.grants import policies_digest
from infra.laptop.iam.record import Call, Record
from infra.laptop.terraform.commands import LOCAL, example_variables
from infra.laptop.terraform.events import Outcome
from infra.laptop.terraform.workspace import Workspace, cloud_environment
from infra.localcloud import request_file
from tests.support.localcloud import ACCOUNT, ROOT, Cloud, base_config, running_cloud
from tests.support.policed_roles import assume
from tests.support.terraform import CONFIGURATIONS, environment_of, find_terraform

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1800)]

NAME = "terraform"
# What a person applies: the delivery's roles, which no workflow may change, and the keys that their policies name.
OF_A_PERSON = ("module.delivery", "module.security")


@dataclass(frozen=True)
class Delivery:
    """What Terraform did with each role, and the calls that were denied.

    Attributes:
        outputs: Those of the root, after the apply.
        left: What the state has after a person has destroyed the rest.
        roles_left: Names of the platform's roles that the local cloud has then.
    """

    by_a_person: Outcome
    applied: Outcome
    outputs: dict[str, Any]
    planned: Outcome
    destroyed: Outcome
    rest_destroyed: Outcome
    left: list[str]
    roles_left: list[str]
    denied: dict[Call, int]


def resource_types(folder: Path) -> set[str]:
    """The types of the resources that the configurations below a folder declare."""
    declared = re.compile(r'^resource "(aws_\w+)"', re.MULTILINE)
    return {kind for file in folder.rglob("*.tf") for kind in declared.findall(file.read_text())}


def types_of(outcome: Outcome) -> set[str]:
    """The types of the resources that an apply has made."""
    return {re.findall(r"(?:^|\.)(aws_\w+)\.", address)[-1] for address in outcome.done if "aws_" in address}


def environment(cloud: Cloud, role: str) -> dict[str, str]:
    """The environment in which Terraform has a session of a role."""
    keys = assume(cloud, f"arn:aws:iam::{ACCOUNT}:role/nightjar-{role}")
    made = cloud_environment(cloud.endpoint, keys["aws_access_key_id"], keys["aws_secret_access_key"])
    return made | {"AWS_SESSION_TOKEN": keys["aws_session_token"]}


def targets(outcome: Outcome) -> list[str]:
    """The modules that a workflow has made."""
    modules = {address.split(".")[1] for address in outcome.done if address.startswith("module.")}
    return [f"-target=module.{name}" for name in sorted(modules) if f"module.{name}" not in OF_A_PERSON]


@pytest.fixture(scope="module")
def delivery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Delivery]:
    """Applies as a person and then with the roles, and records the calls."""
    terraform, folder = find_terraform(), tmp_path_factory.mktemp("root")
    with running_cloud(tmp_path_factory.mktemp("cloud"), base_config()) as cloud:
        person = Workspace(terraform, folder, LOCAL, environment_of(cloud))
        person.prepare(example_variables(LOCAL))
        by_a_person = person.apply(*(f"-target={module}" for module in OF_A_PERSON))
        assert by_a_person.code == 0, by_a_person.problem()
        apply = Workspace(terraform, folder, LOCAL, environment(cloud, "github-apply"))
        plan = Workspace(terraform, folder, LOCAL, environment(cloud, "github-plan"))
        applied, planned = apply.apply(), plan.plan("-detailed-exitcode")
        outputs = person.outputs()
        destroyed = apply.apply("-destroy", *targets(applied))
        allowed, denied = record.calls(request_file.read(cloud.state))
        failed = [outcome for outcome in (applied, planned, destroyed) if outcome.code]
        Record(
            suite=record.SUITES[NAME],
            commit=record.commit(),
            time=request_file.now(),
            tests={"passed": 3 - len(failed), "failed": len(failed)},
            incomplete=f"{len(failed)} commands of Terraform failed" if failed else "",
            policies=policies_digest(),
            allowed=allowed,
            denied=denied,
        ).save(record.path(LaptopConfig.from_env(), NAME))
        rest_destroyed = person.destroy()
        state = json.loads((person.configuration / "terraform.tfstate").read_text())
        names = [role["RoleName"] for role in cloud.client("iam").list_roles()["Roles"]]
        yield Delivery(
            by_a_person,
            applied,
            outputs,
            planned,
            destroyed,
            rest_destroyed,
            [f"{one['type']}.{one['name']}" for one in state["resources"]],
            [name for name in names if name.startswith("nightjar-")],
            dict(denied),
        )


def test_the_role_of_apply_makes_everything_but_what_a_person_has_made(delivery: Delivery) -> None:
    assert delivery.applied.code == 0, delivery.applied.problem()
    assert set(delivery.applied.done) == set(delivery.applied.planned)


def test_the_role_of_plan_reads_everything(delivery: Delivery) -> None:
    assert delivery.planned.code == 0, delivery.planned.problem()
    assert delivery.planned.planned == {}


def test_the_role_of_apply_destroys_what_it_has_made(delivery: Delivery) -> None:
    assert delivery.destroyed.code == 0, delivery.destroyed.problem()


def test_a_person_destroys_the_rest_and_nothing_is_left(delivery: Delivery) -> None:
    assert delivery.rest_destroyed.code == 0, delivery.rest_destroyed.problem()
    assert delivery.left == delivery.roles_left == []


def test_the_outputs_name_what_was_made(delivery: Delivery) -> None:
    assert delivery.outputs["settings"]["NIGHTJAR_LAKE_BUCKET"] == "nightjar-lake"
    assert delivery.outputs["role_arns"]["flights/ecs-task"] == f"arn:aws:iam::{ACCOUNT}:role/nightjar-flights-ecs-task"
    assert set(delivery.outputs["github_role_arns"]) == {"github-plan", "github-apply", "github-release"}


def test_every_type_of_the_root_is_applied_here_or_in_a_configuration_of_the_local_cloud(delivery: Delivery) -> None:
    declared = resource_types(ROOT / "infra" / "terraform" / "modules")
    made = types_of(delivery.by_a_person) | types_of(delivery.applied)
    assert declared - made - resource_types(CONFIGURATIONS) == set()


def test_no_call_was_denied(delivery: Delivery) -> None:
    assert delivery.denied == {}
