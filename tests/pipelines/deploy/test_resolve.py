"""Choosing what to deploy and making it live.

The state hook is the real one, on moto's DynamoDB; ECS and the registry are fakes.
"""

from __future__ import annotations

from typing import Any

import pytest
from nightjar.state.hook import StateHook

from include.errors import ConflictError, NothingToDoError, UserError
from include.lake import layout
from include.pipelines.deploy import DeployRefusedError, DeployTarget, LivePointer, go_live
from include.pipelines.deploy import resolve as resolve_target
from include.pipelines.deploy.service import PrimaryDeployment
from tests.support.packages import Registry

pytestmark = pytest.mark.stack


@pytest.fixture
def table(aws: Any) -> StateHook:
    aws("dynamodb").create_table(TableName="state", BillingMode="PAY_PER_REQUEST", **layout.STATE_TABLE_KEYS)
    return StateHook("state")


class Running:
    """What ECS runs."""

    def __init__(
        self, definition: str = "template", count: int = 0, state: str = "COMPLETED", **environment: str
    ) -> None:
        self.deployment: PrimaryDeployment = {
            "taskDefinition": definition,
            "desiredCount": count,
            "rolloutState": state,
        }
        self.variables = environment

    def primary(self) -> PrimaryDeployment:
        return self.deployment

    def environment(self, task_definition: str) -> dict[str, str]:
        return self.variables


def resolve(table: StateHook, running: Running, automatic: bool = True, **params: Any) -> DeployTarget:
    given: Any = {"version": None, "release_hold": False, "dry_run": False, **params}
    return resolve_target("flights", given, table, running, Registry(), automatic=automatic)


def live(table: StateHook, target: DeployTarget, definition: str, registry: Registry | None = None) -> LivePointer:
    rollout: Any = {"task_definition": definition, "service_deployment_arn": "arn"}
    return go_live("flights", target, rollout, table, registry or Registry(), release_hold=False, run_id="run-7")


def test_first_deploy_then_back_then_nothing_until_the_hold_is_released(table: StateHook) -> None:
    registry = Registry()
    live(table, resolve(table, Running(), automatic=False, version=2), "t2")
    target = resolve(table, Running("t2", 1))
    assert (target["version"], target["live_version"], target["previous_task_definition"]) == (3, 2, "t2")
    live(table, target, "t3")
    back = resolve(table, Running("t3", 1), automatic=False, version="previous")
    pointer = live(table, back, "t2b", registry)
    assert (pointer["version"], pointer["hold"]) == (2, True)
    assert registry.changes == [("arn:3", "Rejected", "Rolled back from, by run-7")]
    with pytest.raises(DeployRefusedError, match="hold"):
        resolve(table, Running("t2b", 1))
    assert resolve(table, Running("t2b", 1), release_hold=True)["version"] == 3


def test_a_retry_after_its_own_write_succeeds_and_another_writer_is_a_conflict(table: StateHook) -> None:
    target = resolve(table, Running())
    assert live(table, target, "t3") == live(table, target, "t3")
    with pytest.raises(ConflictError, match="Another writer"):
        live(table, target, "t4")


def test_a_run_that_died_between_rollout_and_write_is_reconciled(table: StateHook) -> None:
    live(table, resolve(table, Running(), automatic=False, version=2), "t2")
    running = Running("t3", 2, MODEL_VERSION="3", BUNDLE_DIGEST="d3")
    assert resolve(table, running, automatic=False, version=3)["live_version"] == 3
    item = table.get("live#flights", "pointer")
    assert item is not None
    assert (item["version"], item["previous"]) == (3, 2)


def test_a_dry_run_says_what_it_would_deploy_and_writes_nothing(table: StateHook) -> None:
    running = Running("t2", 2, MODEL_VERSION="2", BUNDLE_DIGEST="d2")
    with pytest.raises(NothingToDoError, match="Dry run: would deploy version 3 in place of 2"):
        resolve(table, running, automatic=False, dry_run=True)
    assert table.get("live#flights", "pointer") is None


def test_a_wrong_version_is_the_persons_error(table: StateHook) -> None:
    with pytest.raises(UserError, match="newest"):
        resolve(table, Running(), automatic=False, version="newest")


def test_a_version_that_was_taken_down_did_not_become_live(table: StateHook) -> None:
    assert resolve(table, Running("t3", 0, MODEL_VERSION="3", BUNDLE_DIGEST="d3"))["live_version"] is None


def test_another_rollout_in_progress_is_a_conflict(table: StateHook) -> None:
    with pytest.raises(ConflictError, match="Wait"):
        resolve(table, Running("t9", 2, "IN_PROGRESS"))
