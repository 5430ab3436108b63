"""Choosing what to deploy, recording the intent, and making it live.

The state hook is the real one, on moto's DynamoDB; ECS and the registry are in memory.
"""

from __future__ import annotations

from typing import Any

import pytest
from nightjar.state.hook import StateHook

from include.errors import ConflictError, NothingToDoError, UserError
from include.pipelines.deploy import (
    DeployHooks,
    DeployRefusedError,
    DeployTarget,
    LivePointer,
    LiveStateError,
    SupersededError,
    UnverifiedServiceError,
    go_live,
    own_intent,
    with_card,
)
from include.pipelines.deploy import resolve as resolve_target
from include.pipelines.deploy.live_log import newest_entry
from tests.support.ecs_in_memory import EcsInMemory
from tests.support.packages import PACKAGES, Registry, package
from tests.support.state_table import create_state_table

pytestmark = pytest.mark.stack


@pytest.fixture
def hooks(aws: Any) -> DeployHooks:
    create_state_table(aws("dynamodb"), "state")
    return DeployHooks(StateHook("state"), EcsInMemory(), Registry())


def resolve(hooks: DeployHooks, run_id: str = "run-1", automatic: bool = True, **params: Any) -> DeployTarget:
    given: Any = {"version": None, "release_hold": False, "reason": None, "dry_run": False, **params}
    return resolve_target("flights", given, hooks, run_id=run_id, automatic=automatic)


def roll(hooks: DeployHooks, target: DeployTarget) -> Any:
    """What submit_rollout does, with a version that works."""
    service: Any = hooks.service
    definition = service.register(
        "template", "nightjar-flights", f"key {target['revision']}", "image", target["environment"]
    )
    rollout = {"task_definition": definition, "service_deployment_arn": service.roll(definition, 1)}
    service.finish_rollout(lambda environment: 0)
    return rollout


def live(hooks: DeployHooks, target: DeployTarget, run_id: str = "run-1") -> LivePointer:
    return go_live("flights", target, roll(hooks, target), hooks, run_id=run_id)


def deploy(hooks: DeployHooks, run_id: str, version: Any, **params: Any) -> LivePointer:
    return live(hooks, resolve(hooks, run_id, automatic=False, version=version, **params), run_id)


def state(hooks: DeployHooks) -> LivePointer:
    return newest_entry("flights", hooks.state)


def changes(hooks: DeployHooks) -> list[tuple[str, str, str]]:
    registry: Any = hooks.registry
    return list(registry.changes)


def test_the_service_gets_the_address_of_the_versions_model_card(hooks: DeployHooks) -> None:
    without = resolve(hooks)
    assert with_card(without, lambda uri: "http://never") == without, "a version from before the cards"
    target: DeployTarget = {**without, "card_uri": "s3://artifact/cards/e.html"}
    assert with_card(target, lambda uri: "") == target, "no console shows it"
    shown = with_card(target, lambda uri: f"http://console/{uri.removeprefix('s3://')}")
    assert shown["environment"] == {
        **target["environment"],
        "MODEL_CARD_URL": "http://console/artifact/cards/e.html",
    }


def test_first_deploy_then_back_then_nothing_until_the_hold_is_released(hooks: DeployHooks) -> None:
    deploy(hooks, "run-1", 2)
    target = resolve(hooks, "run-2")
    assert (target["version"], target["live_version"]) == (3, 2)
    live(hooks, target, "run-2")
    pointer = deploy(hooks, "run-3", "previous")
    assert (pointer["version"], pointer["hold"]) == (2, True)
    assert changes(hooks) == [("arn:3", "Rejected", "Rolled back from, by run-3")]
    with pytest.raises(DeployRefusedError, match="hold"):
        resolve(hooks, "run-4")
    assert resolve(hooks, "run-5", automatic=False, release_hold=True)["version"] == 2


def test_a_rollback_that_dies_before_its_rollout_has_set_the_hold(hooks: DeployHooks) -> None:
    """This was red before: the hold was set by the last task, and the bad version came back by itself."""
    deploy(hooks, "run-1", 2)
    deploy(hooks, "run-2", 3)
    resolve(hooks, "run-3", automatic=False, version="previous")
    with pytest.raises(DeployRefusedError, match="hold"):
        resolve(hooks, "run-4")
    with pytest.raises(DeployRefusedError, match="rolled back from, by run-3"):
        resolve(hooks, "run-5", automatic=False, version=3)
    assert deploy(hooks, "run-6", "previous")["version"] == 2
    assert deploy(hooks, "run-7", "latest", release_hold=True)["version"] == 2


def test_a_rollback_that_dies_before_the_registry_knows_is_settled_by_the_next_run(hooks: DeployHooks) -> None:
    deploy(hooks, "run-1", 2)
    deploy(hooks, "run-2", 3)
    registry: Any = hooks.registry
    registry.set_approval_status, kept = _killed, registry.set_approval_status
    target = resolve(hooks, "run-3", automatic=False, version="previous")
    with pytest.raises(SystemExit):
        live(hooks, target, "run-3")
    registry.set_approval_status = kept
    with pytest.raises(DeployRefusedError, match="hold"):
        resolve(hooks, "run-4")
    assert changes(hooks) == [("arn:3", "Rejected", "Rolled back from, by run-3")]


def _killed(*_: Any) -> None:
    raise SystemExit


def test_repeated_steps_of_the_newest_run_change_nothing(hooks: DeployHooks) -> None:
    target = resolve(hooks)
    assert resolve(hooks) == target
    rollout = roll(hooks, target)
    pointer = go_live("flights", target, rollout, hooks, run_id="run-1")
    assert go_live("flights", target, rollout, hooks, run_id="run-1") == pointer
    assert resolve(hooks) == target
    assert state(hooks) == pointer


def test_a_whole_rollback_that_is_cleared_takes_no_second_step(hooks: DeployHooks) -> None:
    for number, version in enumerate((1, 2, 3)):
        deploy(hooks, f"run-{number}", version)
    deploy(hooks, "back", "previous")
    assert deploy(hooks, "back", "previous")["version"] == 2


def test_an_older_run_that_is_cleared_does_nothing(hooks: DeployHooks) -> None:
    """This was red before: its cleared tasks put the old version back, while the pointer kept the new one."""
    target = resolve(hooks, "run-1", automatic=False, version=2)
    rollout = roll(hooks, target)
    go_live("flights", target, rollout, hooks, run_id="run-1")
    pointer = deploy(hooks, "run-2", 3)
    with pytest.raises(SupersededError, match="run-2"):
        own_intent("flights", hooks.state, run_id="run-1")
    with pytest.raises(SupersededError, match="run-2"):
        go_live("flights", target, rollout, hooks, run_id="run-1")
    with pytest.raises(SupersededError, match="run-2"):
        resolve(hooks, "run-1", automatic=False, version=2)
    assert state(hooks) == pointer


def test_nothing_goes_live_that_ecs_does_not_run(hooks: DeployHooks) -> None:
    deploy(hooks, "run-1", 2)
    target = resolve(hooks, "run-2")
    rollout = roll(hooks, target)
    hooks.service.roll("template", 1)
    with pytest.raises(ConflictError, match="ECS does not run what was verified"):
        go_live("flights", target, rollout, hooks, run_id="run-2")
    assert state(hooks)["version"] == 2


def test_what_a_dead_run_left_in_the_service_is_not_live(hooks: DeployHooks) -> None:
    """ECS has rolled version 3 out, and the run died before it verified: the last verified version stays 2."""
    deploy(hooks, "run-1", 2)
    roll(hooks, resolve(hooks, "run-2"))
    target = resolve(hooks, "run-3")
    assert (target["version"], target["live_version"]) == (3, 2)


def test_what_a_dead_run_left_is_undone_when_nothing_else_is_deployed(hooks: DeployHooks) -> None:
    deploy(hooks, "run-1", 2)
    deploy(hooks, "run-2", 3)
    roll(hooks, resolve(hooks, "run-3", automatic=False, version="previous"))
    with pytest.raises(UnverifiedServiceError, match="goes back to version 3"):
        resolve(hooks, "run-4")
    intent = state(hooks)["intent"]
    assert intent is not None and (intent["run_id"], intent["kind"], intent["version"]) == ("run-4", "restore", 3)
    assert hooks.service.task_definition() == state(hooks)["task_definition"]


def test_a_dry_run_says_what_it_would_deploy_and_writes_nothing(hooks: DeployHooks) -> None:
    pointer = deploy(hooks, "run-1", 2)
    with pytest.raises(NothingToDoError, match="Dry run: would deploy version 3 in place of 2"):
        resolve(hooks, "run-2", automatic=False, dry_run=True)
    assert state(hooks) == pointer


def test_a_wrong_version_is_the_persons_error(hooks: DeployHooks) -> None:
    with pytest.raises(UserError, match="newest"):
        resolve(hooks, automatic=False, version="newest")


def test_another_rollout_in_progress_is_a_conflict(hooks: DeployHooks) -> None:
    deploy(hooks, "run-1", 2)
    service: Any = hooks.service
    service.definitions["by hand"] = {"MODEL_VERSION": "9", "BUNDLE_DIGEST": "d9"}
    service.roll("by hand", 1)
    with pytest.raises(ConflictError, match="Wait"):
        resolve(hooks, "run-2")


def test_a_rollout_of_a_dead_deploy_is_replaced(hooks: DeployHooks) -> None:
    deploy(hooks, "run-1", 2)
    target = resolve(hooks, "run-2")
    service: Any = hooks.service
    service.roll(service.register("template", "nightjar-flights", "key", "image", target["environment"]), 1)
    assert resolve(hooks, "run-3")["version"] == 3


def test_a_bundle_digest_that_the_registry_does_not_have_stops_everything(hooks: DeployHooks) -> None:
    deploy(hooks, "run-1", 2)
    registry: Any = hooks.registry
    other = package(2, "2013-03-02T00:00:00Z")
    other.metadata["bundle_digest"] = "other"
    registry.packages = [other, *(known for known in PACKAGES if known.version != 2)]
    with pytest.raises(LiveStateError, match="registry has it with bundle other"):
        resolve(hooks, "run-2")


def delete_all(aws: Any, hooks: DeployHooks) -> None:
    for sort_key in hooks.state.query("live#flights"):
        aws("dynamodb").delete_item(TableName="state", Key={"pk": {"S": "live#flights"}, "sk": {"S": sort_key}})


def test_a_lost_record_is_repaired_from_what_ecs_runs_with_a_hold(hooks: DeployHooks, aws: Any) -> None:
    deploy(hooks, "run-1", 2)
    delete_all(aws, hooks)
    with pytest.raises(LiveStateError, match="of which the state table has none"):
        resolve(hooks, "run-2")
    pointer = deploy(hooks, "run-3", "repair")
    assert (pointer["version"], pointer["hold"], pointer["history"]) == (2, True, [2])
    with pytest.raises(DeployRefusedError, match="hold"):
        resolve(hooks, "run-4")
    assert deploy(hooks, "run-5", "latest", release_hold=True)["version"] == 3


def test_an_altered_record_is_repaired(hooks: DeployHooks) -> None:
    deploy(hooks, "run-1", 1)
    deploy(hooks, "run-2", 2)
    for sort_key, item in hooks.state.query("live#flights").items():
        hooks.state.put("live#flights", sort_key, {**item, "version": 3, "revision": item["revision"] + 1})
    with pytest.raises(LiveStateError, match="altered"):
        resolve(hooks, "run-3")
    pointer = deploy(hooks, "run-4", "repair")
    assert (pointer["version"], pointer["hold"]) == (2, True)


def test_a_repair_of_an_intact_record_deploys_the_verified_version_and_sets_no_hold(hooks: DeployHooks) -> None:
    with pytest.raises(NothingToDoError, match="nothing to repair"):
        resolve(hooks, "run-0", automatic=False, version="repair")
    deploy(hooks, "run-1", 2)
    roll(hooks, resolve(hooks, "run-2"))
    pointer = deploy(hooks, "run-3", "repair")
    assert (pointer["version"], pointer["hold"]) == (2, False)
