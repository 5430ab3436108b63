"""Choosing what to deploy and making it live: the real state hook on moto's DynamoDB; what ECS and the registry say is given."""

from __future__ import annotations

from typing import Any

import pytest
from nightjar.state.hook import StateHook

from include.pipelines.deploy import rollout as deploying
from include.pipelines.deploy.choose import Refusal
from include.pipelines.deploy.rollout import Conflict
from tests.support.packages import PACKAGES

PARAMS = {"version": None, "release_hold": False, "dry_run": False}


@pytest.fixture
def table(aws: Any) -> StateHook:
    keys = {"pk": "HASH", "sk": "RANGE"}
    aws("dynamodb").create_table(
        TableName="state",
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys],
        BillingMode="PAY_PER_REQUEST",
    )
    return StateHook("state")


class Running:
    """What ECS runs."""

    def __init__(
        self, definition: str = "template", count: int = 0, state: str = "COMPLETED", **environment: str
    ) -> None:
        self.deployment = {"taskDefinition": definition, "desiredCount": count, "rolloutState": state}
        self.variables = environment

    def primary(self) -> dict[str, Any]:
        return self.deployment

    def environment(self, task_definition: str) -> dict[str, str]:
        return self.variables


class Versions:
    """The registry: PACKAGES, and what was said of them."""

    def __init__(self) -> None:
        self.judged: list[tuple[str, str]] = []

    def described(self) -> list[dict[str, Any]]:
        return [
            {
                "ModelPackageVersion": package.version,
                "ModelPackageArn": package.arn,
                "ModelApprovalStatus": package.status,
                "CustomerMetadataProperties": package.metadata,
            }
            for package in PACKAGES
        ]

    def judge(self, arn: str, status: str, description: str) -> None:
        self.judged.append((arn, status))


def resolve(table: StateHook, running: Running, automatic: bool = True, **params: Any) -> dict[str, Any]:
    return deploying.resolve(
        "flights", PARAMS | params, automatic=automatic, state=table, service=running, registry=Versions()
    )


def live(
    table: StateHook,
    target: dict[str, Any],
    definition: str,
    versions: Versions | None = None,
    release_hold: bool = False,
) -> dict[str, Any]:
    return deploying.go_live(
        "flights", target, definition, release_hold, "run", state=table, registry=versions or Versions()
    )


def test_first_deploy_then_back_then_nothing_until_the_hold_is_released(table: StateHook) -> None:
    versions = Versions()
    live(table, resolve(table, Running(), automatic=False, version=2), "t2")
    target = resolve(table, Running("t2", 1))
    assert (target["version"], target["live_version"], target["previous_task_definition"]) == (3, 2, "t2")
    live(table, target, "t3")
    back = resolve(table, Running("t3", 1), automatic=False, version="previous")
    pointer = live(table, back, "t2b", versions)
    assert (pointer["version"], pointer["hold"]) == (2, True)
    assert versions.judged == [("arn:3", "Rejected")]
    with pytest.raises(Refusal, match="hold"):
        resolve(table, Running("t2b", 1))
    assert resolve(table, Running("t2b", 1), release_hold=True)["version"] == 3


def test_a_retry_after_its_own_write_is_content_and_another_writer_is_a_conflict(table: StateHook) -> None:
    target = resolve(table, Running())
    assert live(table, target, "t3") == live(table, target, "t3")
    with pytest.raises(Conflict, match="Another writer"):
        live(table, target, "t4")


def test_a_run_that_died_between_rollout_and_write_is_made_good(table: StateHook) -> None:
    live(table, resolve(table, Running(), automatic=False, version=2), "t2")
    running = Running("t3", 2, MODEL_VERSION="3", BUNDLE_DIGEST="d3")
    assert resolve(table, running, automatic=False, version=3)["live_version"] == 3
    item = table.get("live#flights", "pointer")
    assert item is not None
    assert (item["version"], item["previous"]) == (3, 2)


def test_a_dry_run_writes_nothing(table: StateHook) -> None:
    resolve(table, Running("t3", 2, MODEL_VERSION="3", BUNDLE_DIGEST="d3"), automatic=False, dry_run=True)
    assert table.get("live#flights", "pointer") is None


def test_a_version_that_was_taken_down_did_not_become_live(table: StateHook) -> None:
    assert resolve(table, Running("t3", 0, MODEL_VERSION="3", BUNDLE_DIGEST="d3"))["live_version"] is None


def test_somebody_elses_rollout_is_waited_for(table: StateHook) -> None:
    with pytest.raises(Conflict, match="Wait"):
        resolve(table, Running("t9", 2, "IN_PROGRESS"))
