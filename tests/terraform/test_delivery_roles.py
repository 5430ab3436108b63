"""The whole root on a local cloud, applied once, by the delivery's roles, whose policies it enforces.

One role applies and destroys, the other one plans. What they did is recorded for ``make iam``, which lists what they
may do and did not.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from infra.laptop.terraform.events import Outcome
from tests.support.applied_root import Delivery
from tests.support.localcloud import ACCOUNT, ROOT
from tests.support.terraform import CONFIGURATIONS

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1800)]


# What no local cloud can have, and what the environment `local` has no use for; dev and prod plan all of them.
NOT_APPLIED = {
    "aws_acm_certificate_validation": "a laptop has no domain; applied by hand with ENV=dev",
    "aws_cloudwatch_log_resource_policy": "of the public edge; applied by hand with ENV=dev",
    "aws_s3_object": "MWAA's startup script: the laptop runs Airflow itself",
    "aws_sagemaker_mlflow_tracking_server": "the local cloud refuses CreateMlflowTrackingServer",
    "aws_secretsmanager_secret_rotation": "the local cloud refuses RotateSecret",
    "aws_serverlessapplicationrepository_cloudformation_stack": "the local cloud has no serverlessrepo",
    "aws_sns_topic_subscription": "e-mail addresses: a laptop sends none",
}


def resource_types(folder: Path) -> set[str]:
    """The types of the resources that the configurations below a folder declare."""
    declared = re.compile(r'^resource "(aws_\w+)"', re.MULTILINE)
    return {kind for file in folder.rglob("*.tf") for kind in declared.findall(file.read_text())}


def types_of(outcome: Outcome) -> set[str]:
    """The types of the resources that an apply has made."""
    return {re.findall(r"(?:^|\.)(aws_\w+)\.", address)[-1] for address in outcome.done if "aws_" in address}


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
    assert set(delivery.outputs["github_role_arns"]) == {
        "github-plan",
        "github-apply",
        "github-release",
        "github-models",
    }


def test_every_type_of_the_root_is_applied_here_or_in_a_configuration_of_the_local_cloud(delivery: Delivery) -> None:
    declared = resource_types(ROOT / "infra" / "terraform" / "modules")
    made = types_of(delivery.by_a_person) | types_of(delivery.applied)
    assert declared - made - resource_types(CONFIGURATIONS) == set(NOT_APPLIED)


def test_no_call_was_denied(delivery: Delivery) -> None:
    assert delivery.denied == {}
