"""The delivery's roles on a local cloud, which enforces their policies: one applies and destroys, the other one plans.

What they did is recorded for ``make iam``, which lists what they may do and did not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from infra.laptop.config import LaptopConfig
from infra.laptop.iam import record
from infra.laptop.iam.grants import policies_digest
from infra.laptop.iam.record import Call, Record
from infra.laptop.terraform.commands import LOCAL, example_variables
from infra.laptop.terraform.events import Outcome
from infra.laptop.terraform.workspace import Workspace, cloud_environment
from infra.localcloud import request_file
from tests.support.localcloud import ACCOUNT, Cloud, base_config, running_cloud
from tests.support.policed_roles import assume
from tests.support.terraform import environment_of, find_terraform

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1800)]

NAME = "terraform"
# What a person applies: the delivery's roles, which no workflow may change, and the keys that their policies name.
OF_A_PERSON = ("module.delivery", "module.security")


@dataclass(frozen=True)
class Delivery:
    """What Terraform did with each role, and the calls that were denied."""

    by_a_person: Outcome
    applied: Outcome
    planned: Outcome
    destroyed: Outcome
    denied: dict[Call, int]


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
        yield Delivery(by_a_person, applied, planned, destroyed, dict(denied))


def test_the_role_of_apply_makes_everything_but_what_a_person_has_made(delivery: Delivery) -> None:
    assert delivery.applied.code == 0, delivery.applied.problem()
    assert set(delivery.applied.done) == set(delivery.applied.planned)


def test_the_role_of_plan_reads_everything(delivery: Delivery) -> None:
    assert delivery.planned.code == 0, delivery.planned.problem()
    assert delivery.planned.planned == {}


def test_the_role_of_apply_destroys_what_it_has_made(delivery: Delivery) -> None:
    assert delivery.destroyed.code == 0, delivery.destroyed.problem()


def test_no_call_was_denied(delivery: Delivery) -> None:
    assert delivery.denied == {}
