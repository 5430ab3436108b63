"""Runs of a deploy DAG with a canary in one process, like ``deploy_runs``."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest import mock

from airflow.sdk.exceptions import AirflowFailException
from nightjar.callbacks import TIMED_OUT
from nightjar.jobs.ecs import EcsService
from nightjar.notes import REPORTED

from tests.support.canaries import CanaryInMemory
from tests.support.dag_files import load, platform_settings
from tests.support.deploy_runs import SKIPPED, DeployRun, Deploys, StateInMemory


class CanaryDeploys(Deploys):
    """A workload's deploys, each first tried on a share of the requests.

    Attributes:
        beside: The canary: its weights, metrics, service and clock.
    """

    def __init__(self, module: ModuleType) -> None:
        state = StateInMemory()
        self.beside = CanaryInMemory(state)
        with platform_settings(), mock.patch.object(module, "canary", return_value=self.beside.canary):
            super().__init__(state, module, module.deploy(self.beside.canary.workload))
        self.hooks = replace(self.hooks, canary=self.beside.hooks)

    def exceed_time_limit(self, run: DeployRun) -> None:
        """Airflow skips every open task of the run, teardown tasks too, and calls the DAG's callback."""
        self.ready(run)
        run.states |= {task: SKIPPED for task in self.dag.task_ids if task not in run.states}
        dag_run = SimpleNamespace(run_id=run.run_id, note=REPORTED)  # the message is sent by another test
        context = {"dag": self.dag, "dag_run": dag_run, "run_id": run.run_id, "ti": object(), "reason": TIMED_OUT}
        with self._in_process():
            self.dag.on_failure_callback(context)

    def _submit_canary(self, run: DeployRun) -> Any:
        task = self.dag.get_task("submit_canary").prepare_for_execution()
        task.image, task.environment = self.image, run.xcoms["resolve"]["environment"]
        with mock.patch.object(EcsService, "connect", return_value=self.beside.service):
            return task.execute({"run_id": run.run_id})

    def _sense_canary(self, run: DeployRun) -> Any:
        service, rollout = self.beside.service, run.xcoms["submit_canary"]
        service.finish_rollout(self.exit_code)
        if service.set_to != rollout["task_definition"]:  # ECS's status of a deployment says nothing of its tasks now
            raise AirflowFailException(f"the canary is set to {service.set_to}")
        return dict(rollout)

    def _share_traffic(self, run: DeployRun) -> Any:
        return self._callable("share_traffic")(run.xcoms["resolve"], ti=SimpleNamespace(run_id=run.run_id))

    def _compare_canary(self, run: DeployRun) -> Any:
        """Looks until there is a verdict; before each look, some minutes pass."""

        def push(key: str, value: str) -> None:
            run.fault = value

        while True:
            self.beside.passes(minutes=5)
            ti = SimpleNamespace(run_id=run.run_id, xcom_push=push)
            looked = self._callable("compare_canary")(run.xcoms["share_traffic"], ti=ti)
            if looked.is_done:
                return looked.xcom_value

    def _end_canary(self, run: DeployRun) -> None:
        self.dag.get_task("end_canary").execute({"run_id": run.run_id})

    def _reject_canary(self, run: DeployRun) -> Any:
        ti = SimpleNamespace(run_id=run.run_id, xcom_pull=lambda task_ids, key: run.fault)
        arguments = ("flights", run.xcoms.get("resolve"), run.xcoms.get("submit_canary"), "compare_canary")
        return self.module.reject_version.function(*arguments, ti=ti)

    def _callable(self, task_id: str) -> Any:
        return self.dag.get_task(task_id).python_callable


def canary_deploys() -> CanaryDeploys:
    """Returns deploys of flights, with a canary, of which none was made yet."""
    with platform_settings():
        module = load("deploy")
    return CanaryDeploys(module)
