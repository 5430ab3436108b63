"""The deploy DAG of a workload with a shadow: its shape, alone and before a canary."""

from __future__ import annotations

from itertools import pairwise
from types import ModuleType
from typing import Any

import pytest
from airflow.sdk import TriggerRule
from nightjar.jobs.sagemaker import ProcessingJob

from tests.support.canaries import SPEC as CANARY
from tests.support.dag_files import platform_settings, rendered
from tests.support.deploy_dags import module, plain
from tests.support.shadows import with_shadow

__all__ = ["module", "plain"]

OWN = {"plan_shadow", "submit_shadow", "sense_shadow", "compare_shadow", "reject_shadow", "stop_jobs"}
ORDER = ("resolve", "plan_shadow", "submit_shadow", "sense_shadow", "compare_shadow")


@pytest.fixture(scope="module")
def dag(module: ModuleType) -> Any:
    with platform_settings():
        return module.deploy(with_shadow())


@pytest.fixture(scope="module")
def both(module: ModuleType) -> Any:
    with platform_settings():
        return module.deploy(with_shadow(canary=CANARY))


def test_it_has_the_shadows_tasks_besides_those_of_any_deploy(dag: Any, plain: Any) -> None:
    assert {task.task_id for task in dag.tasks} - {task.task_id for task in plain.tasks} == OWN
    assert len(dag.tasks) <= 15
    assert dag.dagrun_timeout - plain.dagrun_timeout == dag.get_task("sense_shadow").execution_timeout


def test_nothing_is_rolled_out_before_the_comparison(dag: Any, both: Any) -> None:
    for made, first in ((dag, "submit_rollout"), (both, "submit_canary")):
        for before, after in pairwise((*ORDER, first)):
            assert after in made.get_task(before).downstream_task_ids
        # Skipped with the shadow, it runs; with a refused deploy, it is skipped, too.
        assert made.get_task(first).trigger_rule == TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS
        assert made.get_task(first).upstream_task_ids == {"resolve", "compare_shadow"}
    assert both.get_task("submit_rollout").upstream_task_ids == {"resolve", "compare_canary"}


def test_its_job_is_stopped_with_the_run(dag: Any) -> None:
    stop = dag.get_task("stop_jobs")
    assert stop.is_teardown and stop.upstream_task_ids == {"sense_shadow"}
    xcoms = {("submit_shadow", "return_value"): "nj-flights-shadow-1"}
    assert rendered(dag, "stop_jobs", xcoms).jobs == [ProcessingJob("nj-flights-shadow-1")]
    assert {task.task_id for task in dag.tasks if getattr(task, "ledger", None)} == {
        "submit_shadow", "sense_shadow", "stop_jobs"
    }  # fmt: skip


def test_the_job_is_the_one_that_was_planned(dag: Any) -> None:
    planned = {("plan_shadow", "name"): "nj-flights-shadow-1", ("plan_shadow", "request"): {"RoleArn": "arn"}}
    submit = rendered(dag, "submit_shadow", planned)
    assert (submit.submit_key, submit.config) == ("nj-flights-shadow-1", {"RoleArn": "arn"})


def test_what_goes_wrong_rejects_and_restores_and_stays_red(dag: Any) -> None:
    reject = dag.get_task("reject_shadow")
    assert (reject.trigger_rule, reject.op_args[2:]) == (TriggerRule.ONE_FAILED, (None, "compare_shadow"))
    for task in ("reject_shadow", "restore_service"):
        assert dag.get_task(task).upstream_task_ids >= {"sense_shadow", "compare_shadow"}
    leaves = {task.task_id for task in dag.tasks if not task.downstream_task_ids and not task.is_teardown}
    assert "deployed" in leaves and not leaves & {*ORDER}


def test_every_task_has_an_owner_retries_a_time_limit_and_reports_failures(dag: Any) -> None:
    for task in dag.tasks:
        assert task.owner != "airflow"
        assert task.retries >= 1
        assert task.execution_timeout is not None
        assert task.on_failure_callback
