"""The deploy DAG of a workload with a canary: its shape, and that one without is as it was."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from types import ModuleType
from typing import Any

import pytest
from airflow.sdk import TriggerRule
from nightjar.jobs.ecs import EcsRollout
from nightjar.looks import look_seconds

from tests.support.canaries import SPEC, with_canary
from tests.support.dag_files import platform_settings, rendered
from tests.support.deploy_dags import module, plain

__all__ = ["module", "plain"]

OWN = {"submit_canary", "sense_canary", "share_traffic", "compare_canary", "end_canary", "reject_canary"}


@pytest.fixture(scope="module")
def dag(module: ModuleType) -> Any:
    with platform_settings():
        return module.deploy(with_canary())


def test_it_has_the_canarys_tasks_besides_those_of_any_deploy(dag: Any, plain: Any) -> None:
    assert {task.task_id for task in dag.tasks} - {task.task_id for task in plain.tasks} == OWN
    assert len(dag.tasks) <= 15
    assert dag.dagrun_timeout - plain.dagrun_timeout == timedelta(minutes=SPEC.minutes)


def test_the_whole_service_is_rolled_out_only_after_the_comparison(dag: Any, plain: Any) -> None:
    order = ["resolve", "submit_canary", "sense_canary", "share_traffic", "compare_canary", "submit_rollout"]
    for before, after in pairwise(order):
        assert after in dag.get_task(before).downstream_task_ids
    # Skipped with the canary, it runs; with a refused deploy, it is skipped, too.
    assert dag.get_task("submit_rollout").trigger_rule == TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS
    assert dag.get_task("submit_rollout").upstream_task_ids == {"resolve", "compare_canary"}
    assert plain.get_task("submit_rollout").trigger_rule == TriggerRule.ALL_SUCCESS


def test_a_canary_always_ends(dag: Any) -> None:
    end = dag.get_task("end_canary")
    assert end.is_teardown and end.on_failure_fail_dagrun
    assert end.upstream_task_ids == {"sense_canary", "share_traffic", "compare_canary"}


def test_what_goes_wrong_rejects_and_restores_and_stays_red(dag: Any) -> None:
    assert dag.get_task("reject_canary").trigger_rule == TriggerRule.ONE_FAILED
    assert dag.get_task("reject_canary").upstream_task_ids >= {"sense_canary", "compare_canary"}
    assert dag.get_task("restore_service").upstream_task_ids >= {"sense_canary", "compare_canary", "verify"}
    leaves = {task.task_id for task in dag.tasks if not task.downstream_task_ids and not task.is_teardown}
    assert "deployed" in leaves and not leaves & {"compare_canary", "share_traffic"}


def test_a_look_takes_no_worker_in_between_and_is_as_often_as_the_page_says(module: ModuleType, dag: Any) -> None:
    compare = dag.get_task("compare_canary")
    assert compare.mode == "reschedule"
    assert compare.poke_interval == look_seconds(module.CONFIG.poll_seconds)
    assert [look_seconds(poll) for poll in (1, 30, 600)] == [20, 30, 600]
    assert compare.timeout > SPEC.minutes * 60


def test_its_rollout_is_of_its_own_service_and_of_as_many_tasks_as_its_share_needs(dag: Any) -> None:
    submit = dag.get_task("submit_canary")
    assert (submit.service, submit.desired_count) == ("nightjar-flights-canary", 1)
    assert submit.template_family == "nightjar-flights-template"
    rollout = {"service_deployment_arn": "arn:aws:ecs:d/1", "task_definition": "arn:aws:ecs:task/1:1"}
    job = rendered(dag, "sense_canary", {("submit_canary", "return_value"): rollout}).job
    assert job == EcsRollout("nightjar", "nightjar-flights-canary", **rollout)


def test_every_task_has_an_owner_retries_a_time_limit_and_reports_failures(dag: Any) -> None:
    for task in dag.tasks:
        assert task.owner != "airflow"
        assert task.retries >= 1
        assert task.execution_timeout is not None
        assert task.on_failure_callback
