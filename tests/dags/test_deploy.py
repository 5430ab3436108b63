"""The deploy DAG: its shape, its Params, and what happens after a red task."""

from __future__ import annotations

from itertools import pairwise
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import TriggerRule
from airflow.sdk.exceptions import AirflowFailException
from nightjar.jobs.ecs import EcsRollout

from include.errors import ConflictError
from include.workloads import load as load_workload
from tests.support.dag_files import load, platform_settings, rendered


@pytest.fixture(scope="module")
def module() -> ModuleType:
    return load("deploy")


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
    assert set(dag.params) == {"version", "release_hold", "dry_run"}
    assert dag.params.get_param("version").schema["type"] == ["null", "integer", "string"]
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
    # A leaf decides a run's colour: go_live is one, and is never reached by a red run.
    assert dag.get_task("go_live").downstream_task_ids == set()


def test_the_service_gets_its_bundle(dag: Any) -> None:
    assert set(dag.get_task("submit_rollout").environment) == {
        "BUNDLE_URI",
        "BUNDLE_DIGEST",
        "MODEL_VERSION",
        "WORKLOAD",
    }


def test_every_task_has_an_owner_retries_a_time_limit_and_reports_failures(dag: Any) -> None:
    for task in dag.tasks:
        assert task.owner != "airflow"
        assert task.retries >= 1
        assert task.execution_timeout is not None
        assert task.on_failure_callback


def test_the_bundle_is_the_chosen_versions(dag: Any) -> None:
    chosen = {"bundle_uri": "s3://a/bundle.tar.gz", "bundle_digest": "12345e67", "version": 3}
    submit = rendered(dag, "submit_rollout", {("resolve", "return_value"): chosen})
    assert submit.environment == {
        "BUNDLE_URI": "s3://a/bundle.tar.gz",
        "BUNDLE_DIGEST": "12345e67",
        "MODEL_VERSION": 3,  # the operator makes it text
        "WORKLOAD": "flights",
    }


def test_the_sensors_refer_to_the_rollouts(dag: Any) -> None:
    rollout = {"service_deployment_arn": "arn:aws:ecs:d/1", "task_definition": "arn:aws:ecs:task/1:1"}
    for submit, sense in (("submit_rollout", "sense_rollout"), ("restore_service", "sense_restore")):
        job = rendered(dag, sense, {(submit, "return_value"): rollout}).job
        assert job == EcsRollout("nightjar", "nightjar-flights", **rollout)


def test_after_a_refusal_the_tasks_that_clean_up_get_nothing(dag: Any) -> None:
    assert rendered(dag, "reject_version").op_args == ("flights", None, None)
    assert rendered(dag, "restore_service").op_args == ("flights", None)


def test_a_pointer_that_another_writer_changed_fails_at_once_since_a_retry_has_the_same_pointer(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def conflict(*arguments: Any, **options: Any) -> None:
        raise ConflictError("Another writer")

    monkeypatch.setattr(module.pipeline, "go_live", conflict)
    with pytest.raises(AirflowFailException, match="Another writer"):
        module.go_live.function("flights", {}, {}, params={"release_hold": False}, ti=SimpleNamespace(run_id="r"))
