"""The whole root of ``infra/terraform`` on a local cloud: applied once for all tests, by the delivery's roles."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from infra.laptop.aws import Aws
from infra.laptop.config import LaptopConfig
from infra.laptop.free_ports import free_port
from infra.laptop.iam import record
from infra.laptop.iam.grants import policies_digest
from infra.laptop.iam.record import Call, Record
from infra.laptop.terraform.commands import LOCAL, example_variables
from infra.laptop.terraform.events import Outcome
from infra.laptop.terraform.workspace import Workspace, cloud_environment
from infra.localcloud import request_file
from tests.support.localcloud import ACCOUNT, Cloud, base_config, running_cloud
from tests.support.policed_roles import assume
from tests.support.shared_resources import read
from tests.support.terraform import environment_of, find_terraform

NAME = "terraform"
# What a person applies: the delivery's roles, which no workflow may change, and the keys that their policies name.
OF_A_PERSON = ("module.delivery", "module.security")


@dataclass(frozen=True)
class Delivery:
    """What Terraform did with each role, and the calls that were denied.

    Attributes:
        outputs: Those of the root, after the apply.
        resources: What the bootstrap of the laptop makes, too, after the apply.
        left: What the state has after a person has destroyed the rest.
        roles_left: Names of the platform's roles that the local cloud has then.
    """

    by_a_person: Outcome
    applied: Outcome
    outputs: dict[str, Any]
    resources: dict[str, dict[str, Any]]
    planned: Outcome
    destroyed: Outcome
    rest_destroyed: Outcome
    left: list[str]
    roles_left: list[str]
    denied: dict[Call, int]


def laptop_clients(cloud: Cloud, run: Path) -> tuple[LaptopConfig, Aws]:
    """The laptop's configuration and clients for a local cloud."""
    run.mkdir()
    (run / "cloud").symlink_to(cloud.state)
    config = LaptopConfig.from_env(
        cloud_port=urlsplit(cloud.endpoint).port, service_port=free_port(following=9), run=run
    )
    return config, Aws(config)


def environment(cloud: Cloud, role: str) -> dict[str, str]:
    """The environment in which Terraform has a session of a role."""
    keys = assume(cloud, f"arn:aws:iam::{ACCOUNT}:role/nightjar-{role}")
    made = cloud_environment(cloud.endpoint, keys["aws_access_key_id"], keys["aws_secret_access_key"])
    return made | {"AWS_SESSION_TOKEN": keys["aws_session_token"]}


def targets(outcome: Outcome) -> list[str]:
    """The modules that a workflow has made."""
    modules = {address.split(".")[1] for address in outcome.done if address.startswith("module.")}
    return [f"-target=module.{name}" for name in sorted(modules) if f"module.{name}" not in OF_A_PERSON]


@contextmanager
def delivered(folder: Path) -> Iterator[Delivery]:
    """Applies as a person and then with the roles, records the calls, and destroys everything."""
    terraform = find_terraform()
    for part in ("cloud", "root"):
        (folder / part).mkdir()
    with running_cloud(folder / "cloud", base_config()) as cloud:
        person = Workspace(terraform, folder / "root", LOCAL, environment_of(cloud))
        person.prepare(example_variables(LOCAL))
        by_a_person = person.apply(*(f"-target={module}" for module in OF_A_PERSON))
        assert by_a_person.code == 0, by_a_person.problem()
        apply = Workspace(terraform, folder / "root", LOCAL, environment(cloud, "github-apply"))
        plan = Workspace(terraform, folder / "root", LOCAL, environment(cloud, "github-plan"))
        applied, planned = apply.apply(), plan.plan("-detailed-exitcode")
        outputs = person.outputs()
        resources = read(laptop_clients(cloud, folder / "laptop")[1])
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
            resources,
            planned,
            destroyed,
            rest_destroyed,
            [f"{one['type']}.{one['name']}" for one in state["resources"]],
            [name for name in names if name.startswith("nightjar-")],
            dict(denied),
        )
