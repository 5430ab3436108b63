"""The deploy DAG: its shape, its Params, and what happens after a red task."""

from __future__ import annotations

from itertools import pairwise
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import TriggerRule
from airflow.sdk.exceptions import AirflowFailException
from nightjar.failures import record_failure
from nightjar.jobs.ecs import EcsRollout

from include.errors import ConflictError
from include.pipelines import deploy as pipeline
from include.pipelines.deploy import VerificationError
from include.pipelines.deploy.ended import end_by_person
from include.pipelines.deploy.live import NOTHING_LIVE, begun
from include.pipelines.deploy.live_log import append
from include.workloads import load as load_workload
from tests.support.dag_files import dag_run, platform_settings, rendered
from tests.support.deploy_dags import module
from tests.support.deploy_runs import StateInMemory

__all__ = ["module"]


@pytest.fixture(scope="module")
def dag(module: ModuleType) -> Any:
    with platform_settings():
        return module.deploy(load_workload("flights"))


def test_it_is_scheduled_by_an_approved_model_and_runs_alone(dag: Any) -> None:
    assert dag.max_active_runs == 1
    assert dag.schedule.uri == "nightjar://flights/approved-model"
    assert len(dag.tasks) <= 15
    assert dag.doc_md.startswith("# Deploy")


def test_params_are_typed_and_described(dag: Any) -> None:
    assert set(dag.params) == {"version", "release_hold", "reason", "dry_run"}
    assert dag.params.get_param("version").schema["type"] == ["null", "string", "integer"]
    assert all(dag.params.get_param(name).description for name in dag.params)


def test_nothing_goes_live_unverified(dag: Any) -> None:
    order = ["resolve", "submit_rollout", "sense_rollout", "verify", "go_live"]
    for before, after in pairwise(order):
        assert after in dag.get_task(before).downstream_task_ids
    assert all(dag.get_task(task).trigger_rule == TriggerRule.ALL_SUCCESS for task in order)


def test_a_red_rollout_or_verification_rejects_and_restores_and_stays_red(dag: Any) -> None:
    for task in ("reject_version", "restore_service"):
        assert dag.get_task(task).trigger_rule == TriggerRule.ONE_FAILED
        assert dag.get_task(task).upstream_task_ids >= {"sense_rollout", "verify"}
    assert dag.get_task("sense_restore").upstream_task_ids == {"restore_service"}
    assert "go_live" in dag.get_task("restore_service").upstream_task_ids
    # A leaf decides a run's colour: this one succeeds only after go_live, though a restored service ends in another.
    leaf = dag.get_task("deployed")
    assert (leaf.upstream_task_ids, leaf.downstream_task_ids) == ({"go_live"}, set())
    assert leaf.trigger_rule == TriggerRule.ALL_SUCCESS


def test_every_task_has_an_owner_retries_a_time_limit_and_reports_failures(dag: Any) -> None:
    for task in dag.tasks:
        assert task.owner != "airflow"
        assert task.retries >= 1
        assert task.execution_timeout is not None
        assert task.on_failure_callback


def test_the_service_gets_what_resolve_chose(dag: Any) -> None:
    chosen = {"BUNDLE_DIGEST": "12345e67", "MODEL_VERSION": "3", "DEPLOY_REVISION": "7"}
    submit = rendered(dag, "submit_rollout", {("resolve", "return_value"): {"version": 3, "environment": chosen}})
    assert submit.environment == chosen


def test_the_sensors_refer_to_the_rollouts(dag: Any) -> None:
    rollout = {"service_deployment_arn": "arn:aws:ecs:d/1", "task_definition": "arn:aws:ecs:task/1:1"}
    for submit, sense in (("submit_rollout", "sense_rollout"), ("restore_service", "sense_restore")):
        job = rendered(dag, sense, {(submit, "return_value"): rollout}).job
        assert job == EcsRollout("nightjar", "nightjar-flights", **rollout)


def test_after_a_refusal_the_tasks_that_clean_up_get_nothing(dag: Any) -> None:
    assert rendered(dag, "reject_version").op_args == ("flights", None, None)
    assert rendered(dag, "restore_service").op_args == ("flights", None)


@pytest.mark.parametrize("failure", [ConflictError("Another run"), pipeline.SupersededError("Another run")])
def test_a_run_that_another_one_overtook_fails_at_once(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    monkeypatch.setattr(module.pipeline, "go_live", raising(failure))
    monkeypatch.setattr(module, "hooks", lambda workload: None)
    with pytest.raises(AirflowFailException, match="Another run"):
        module.go_live.function("flights", {}, {}, ti=SimpleNamespace(run_id="r"))


@pytest.mark.parametrize("failure", [pipeline.LiveStateError("flights", "Lost."), pipeline.UnverifiedServiceError("x")])
def test_a_lost_record_and_an_unverified_service_are_red_in_an_automatic_run_too(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    monkeypatch.setattr(module.pipeline, "resolve", raising(failure))
    monkeypatch.setattr(module, "hooks", lambda workload: None)
    monkeypatch.setattr(module, "code_sha", lambda file: "sha")
    with pytest.raises(AirflowFailException):
        module.resolve.function("flights", {}, dag_run(run_type="asset_triggered", run_id="r"))


@pytest.mark.parametrize(
    ("failure", "recorded"),
    [
        (pipeline.VersionFaultError("scores wrongly"), {"version_fault": "scores wrongly"}),
        (VerificationError("no answer"), {}),
    ],
)
def test_only_the_versions_own_fault_is_handed_to_the_rejection(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch, failure: Exception, recorded: dict[str, str]
) -> None:
    xcoms: dict[str, str] = {}
    monkeypatch.setattr(module.pipeline, "verify", raising(failure))
    monkeypatch.setattr(module.pipeline, "own_intent", lambda *arguments, **options: None)
    ti = SimpleNamespace(run_id="r", xcom_push=lambda key, value: xcoms.update({key: value}))
    with pytest.raises(VerificationError):
        module.verify.function("flights", {}, ti=ti)
    assert xcoms == recorded


def test_a_deploy_that_was_ended_is_not_verified_and_its_version_not_blamed(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This was red before: it was verified for as long as the service answered something else."""
    state: Any = StateInMemory()
    asked: Any = {"kind": "deploy", "version": 3, "release_hold": False, "reason": None}
    pointer = append("flights", begun(NOTHING_LIVE, run_id="r", **asked), state)
    end_by_person("flights", pointer, "ann", "too many complaints", state)
    monkeypatch.setattr(module, "StateHook", lambda table: state)
    monkeypatch.setattr(module.pipeline, "verify", raising(AssertionError("it verifies")))
    ti = SimpleNamespace(run_id="r", xcom_push=raising(AssertionError("a fault of the version")))
    with pytest.raises(AirflowFailException, match="too many complaints"):
        module.verify.function("flights", {}, ti=ti)


def test_what_a_failed_verification_records_is_no_fault_of_the_version(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every failed task records its reason. Only a fault that verify has found rejects the version."""
    xcoms: dict[str, Any] = {}
    ti = SimpleNamespace(
        try_number=3,
        log_url="",
        run_id="r",
        xcom_push=lambda key, value: xcoms.update({key: value}),
        xcom_pull=lambda task_ids, key: xcoms.get(key),
    )
    record_failure({"ti": ti, "exception": VerificationError("no answer")})
    faults: list[Any] = []
    monkeypatch.setattr(module.pipeline, "reject", lambda *arguments, **options: faults.append(arguments[3]))
    monkeypatch.setattr(module, "hooks", lambda workload: None)
    module.reject_version.function("flights", {}, {}, ti=ti)
    assert faults == [None]


def raising(failure: Exception) -> Any:
    def fail(*arguments: Any, **options: Any) -> None:
        raise failure

    return fail
