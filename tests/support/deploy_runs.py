"""Runs of the deploy DAG in one process: its real tasks, with ECS and the registry in memory, and kills in between.

The order of the tasks and their trigger rules are read from the DAG itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest import mock

from airflow.sdk import TriggerRule
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from botocore.exceptions import ClientError
from nightjar.jobs.ecs import EcsService

from include.lake import state_keys
from include.pipelines.deploy import DeployHooks, VerificationError, VersionFaultError
from include.pipelines.deploy.live import LivePointer
from include.pipelines.deploy.live_log import newest_entry
from include.pipelines.deploy.verify import check_golden_rows, check_version
from include.workloads import load as load_workload
from tests.support.dag_files import load, platform_settings
from tests.support.ecs_in_memory import EcsInMemory, http
from tests.support.packages import Registry, package

SUCCESS, FAILED, SKIPPED, UPSTREAM_FAILED = "success", "failed", "skipped", "upstream_failed"
READY = "ready"


class Killed(BaseException):
    """The worker is gone: nothing after this line happens."""


class Kills:
    """Raises before or after the n-th change that a task makes."""

    def __init__(self) -> None:
        self.countdown: int | None = None
        self.failure: BaseException = Killed()
        self.changes: list[str] = []

    def __call__(self, name: str) -> None:
        if not name.endswith(" done"):
            self.changes.append(name)
        if self.countdown is not None:
            self.countdown -= 1
            if self.countdown < 0:
                self.countdown = None
                raise self.failure

    def plan(self, countdown: int | None, *, denied: bool) -> None:
        """Plans the next failure: the worker dies, or AWS denies the call (before the change only)."""
        answer: Any = {"Error": {"Code": "AccessDeniedException", "Message": "not authorized"}}
        self.failure = ClientError(answer, "Call") if denied else Killed()
        self.countdown = countdown if countdown is None or not denied else countdown - countdown % 2


class KilledState:
    """A state table whose writes may be the last thing that a worker does."""

    def __init__(self, store: Any, kills: Kills) -> None:
        self.store, self.kills = store, kills

    def get(self, pk: str, sk: str) -> Any:
        return self.store.get(pk, sk)

    def query(self, pk: str, *, last: int | None = None) -> Any:
        return self.store.query(pk, last=last)

    def put_if(self, *arguments: Any) -> bool:
        self.kills("put_if")
        written: bool = self.store.put_if(*arguments)
        self.kills("put_if done")
        return written


class KilledRegistry(Registry):
    """A registry, likewise."""

    def __init__(self, kills: Kills) -> None:
        super().__init__([])
        self.kills = kills

    def set_approval_status(self, arn: str, status: Any, description: str) -> None:
        self.kills("set_approval_status")
        super().set_approval_status(arn, status, description)
        self.kills("set_approval_status done")


@dataclass
class DeployRun:
    """One run: its Params, and the state and the result of each task."""

    run_id: str
    automatic: bool
    params: dict[str, Any]
    states: dict[str, str] = field(default_factory=dict)
    xcoms: dict[str, Any] = field(default_factory=dict)
    fault: str | None = None
    dead: bool = False


class Deploys:
    """A workload's deploys: state table, service, registry, and the DAG's tasks.

    Attributes:
        kills: When the worker dies.
        crashing: Versions whose tasks crash.
        image: The image that a deploy takes.
        full: Whether the cluster has no room for tasks of a task definition that was never verified.
        verified: The task definitions that a verification has passed while they served.
    """

    def __init__(self, store: Any, module: ModuleType, dag: Any) -> None:
        self.kills = Kills()
        self.service = EcsInMemory(self.kills)
        self.registry = KilledRegistry(self.kills)
        self.state = KilledState(store, self.kills)
        self.hooks = DeployHooks(self.state, self.service, self.registry)  # type: ignore[arg-type]
        self.module, self.dag = module, dag
        self.runs: list[DeployRun] = []
        self.crashing: set[str] = set()
        self.full = False
        self.image = "image"
        self.verified: set[str] = set()

    # --- the world
    def approve(self, *, crashes: bool, scores_wrongly: bool) -> int:
        """Registers a version with newer data than all others."""
        version = len(self.registry.packages) + 1
        self.registry.packages.insert(0, package(version, f"2013-03-{version:02d}T00:00:00Z"))
        self.crashing |= {str(version)} if crashes else set()
        self.service.wrong |= {str(version)} if scores_wrongly else set()
        return version

    def trigger(self, version: Any = None, *, automatic: bool = False, **params: Any) -> DeployRun:
        """Adds a run."""
        given = {"version": version, "release_hold": False, "reason": None, "dry_run": False, **params}
        run = DeployRun(f"run-{len(self.runs) + 1}", automatic, given)
        self.runs.append(run)
        return run

    def pointer(self) -> LivePointer:
        return newest_entry("flights", self.state)  # type: ignore[arg-type]

    def status(self, version: int) -> str:
        return next(known.status for known in self.registry.packages if known.version == version)

    # --- the scheduler
    def ready(self, run: DeployRun) -> list[str]:
        """Decides the tasks that need not run, and returns those that can run now."""
        found = []
        for node in self.dag.topological_sort():
            task = self.dag.get_task(node.task_id)
            if run.dead or task.task_id in run.states:
                continue
            decided = _decided(task, [run.states.get(name) for name in task.upstream_task_ids])
            if decided == READY:
                found.append(task.task_id)
            elif decided:
                run.states[task.task_id] = decided
        return found

    def step(self, run: DeployRun, choose: Callable[[list[str]], str] = lambda ready: ready[0]) -> str | None:
        """Runs one task of a run; returns its name, or None where the run is over.

        A killed task stays as it was, so that it is tried again.
        """
        ready = self.ready(run)
        if not ready:
            return None
        task_id = choose(ready)
        with self._in_process():
            try:
                run.xcoms[task_id] = getattr(self, f"_{task_id}")(run)
                run.states[task_id] = SUCCESS
            except AirflowSkipException:
                run.states[task_id] = SKIPPED
            except (AirflowFailException, Exception):
                run.states[task_id] = FAILED
        self.ready(run)
        return task_id

    def finish(self, run: DeployRun) -> None:
        """Runs all tasks that are left, undisturbed."""
        self.kills.plan(None, denied=False)
        while self.step(run):
            pass

    def finish_killed(self, run: DeployRun, countdown: int) -> None:
        """Runs all tasks that are left; the worker dies at so many changes from now, and its task is tried again."""
        self.kills.plan(countdown, denied=False)
        for _ in range(40):
            try:
                if not self.step(run):
                    return
            except BaseException:
                continue

    def clear(self, run: DeployRun, task_id: str, *, downstream: bool) -> None:
        """Clears a task, or also those after it."""
        cleared = {task_id}
        if downstream:
            cleared |= self.dag.get_task(task_id).get_flat_relative_ids(upstream=False)
        for name in cleared:
            run.states.pop(name, None)
            run.xcoms.pop(name, None)
        if "verify" in cleared:
            run.fault = None

    def colour(self, run: DeployRun) -> str:
        """What Airflow makes of the run: failed if a leaf failed."""
        leaves = [task.task_id for task in self.dag.tasks if not task.downstream_task_ids and not task.is_teardown]
        states = {run.states.get(name) for name in leaves}
        return FAILED if states & {FAILED, UPSTREAM_FAILED} else SUCCESS

    @contextmanager
    def _in_process(self) -> Iterator[None]:
        with (
            mock.patch.multiple(
                self.module,
                hooks=lambda workload: self.hooks,
                code_sha=lambda file: "sha",
                StateHook=lambda table: self.state,
            ),
            mock.patch.object(EcsService, "connect", return_value=self.service),
        ):
            yield

    # --- the tasks
    def _resolve(self, run: DeployRun) -> Any:
        run_type = "asset_triggered" if run.automatic else "manual"
        dag_run = SimpleNamespace(run_type=run_type, run_id=run.run_id, conf={})
        return self.module.resolve.function("flights", run.params, dag_run)

    def _submit_rollout(self, run: DeployRun) -> Any:
        task = self.dag.get_task("submit_rollout").prepare_for_execution()
        task.image, task.environment = self.image, run.xcoms["resolve"]["environment"]
        return task.execute({"run_id": run.run_id})

    def _sense_rollout(self, run: DeployRun) -> Any:
        return self._sense(run.xcoms["submit_rollout"])

    def _sense_restore(self, run: DeployRun) -> Any:
        return self._sense(run.xcoms["restore_service"])

    def _sense(self, rollout: Mapping[str, str]) -> Any:
        self.service.finish_rollout(self.exit_code)
        if self.service.set_to != rollout["task_definition"] or not self.service.desired:
            raise AirflowFailException(f"the service is set to {self.service.set_to}")
        return dict(rollout)

    def exit_code(self, environment: dict[str, str]) -> int | None:
        """What the tasks of an environment do, for :meth:`EcsInMemory.finish_rollout`."""
        if self.full and self.service.set_to not in self.verified:
            return None
        return 3 if environment.get("MODEL_VERSION") in self.crashing else 0

    def _verify(self, run: DeployRun) -> Any:
        with mock.patch("time.sleep"):
            try:
                check_version(run.xcoms["resolve"], http(self.service), 0)
                check_golden_rows(http(self.service), 0)
            except VersionFaultError as error:
                run.fault = str(error)
                raise
        self.verified.add(str(self.service.serving))
        return {}

    def _go_live(self, run: DeployRun) -> Any:
        arguments = ("flights", run.xcoms["resolve"], run.xcoms["submit_rollout"])
        return self.module.go_live.function(*arguments, ti=SimpleNamespace(run_id=run.run_id))

    def _reject_version(self, run: DeployRun) -> Any:
        ti = SimpleNamespace(run_id=run.run_id, xcom_pull=lambda task_ids, key: run.fault)
        arguments = ("flights", run.xcoms.get("resolve"), run.xcoms.get("submit_rollout"))
        return self.module.reject_version.function(*arguments, ti=ti)

    def _restore_service(self, run: DeployRun) -> Any:
        ti = SimpleNamespace(run_id=run.run_id)
        return self.module.restore_service.function("flights", run.xcoms.get("resolve"), ti=ti)

    def _deployed(self, run: DeployRun) -> None:
        pass


def _decided(task: Any, upstream: list[str | None]) -> str | None:
    """The state of a task that need not run; ``READY`` if it can run now; None while that is open."""
    failed, ended = any(state in (FAILED, UPSTREAM_FAILED) for state in upstream), None not in upstream
    if task.is_teardown:
        return READY if ended else None
    if task.trigger_rule == TriggerRule.ONE_FAILED:
        return READY if failed else SKIPPED if ended else None
    if failed:
        return UPSTREAM_FAILED
    if task.trigger_rule == TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS:
        return None if not ended else READY if SUCCESS in upstream else SKIPPED
    if SKIPPED in upstream:
        return SKIPPED
    return READY if ended else None


class StateInMemory:
    """A state table in memory, with the conditions that the live log uses. It is quicker than moto's."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], dict[str, Any]] = {}

    def get(self, pk: str, sk: str) -> dict[str, Any] | None:
        return self.items.get((pk, sk))

    def query(self, pk: str, *, last: int | None = None) -> dict[str, dict[str, Any]]:
        found = sorted(key for key in self.items if key[0] == pk)
        return {key[1]: self.items[key] for key in (found if last is None else reversed(found[-last:]))}

    def put_if(self, pk: str, sk: str, item: Any, condition: str, values: Any = None, names: Any = None) -> bool:
        stored = self.items.get((pk, sk))
        allowed = {
            "attribute_not_exists(pk)": stored is None,
            "attribute_not_exists(pk) OR #revision < :new": stored is None or stored["revision"] < item["revision"],
        }
        if allowed[condition]:
            self.items[pk, sk] = dict(item)
        return allowed[condition]

    def delete(self, pk: str, sk: str) -> None:
        self.items.pop((pk, sk), None)


def deploy_dag() -> tuple[ModuleType, Any]:
    """Loads the deploy DAG of flights; its module's functions are what the runs execute."""
    with platform_settings():
        module = load("deploy")
        return module, module.deploy(load_workload("flights"))


POINTER = state_keys.live_key("flights")
__all__ = ["FAILED", "POINTER", "SKIPPED", "SUCCESS", "DeployRun", "Deploys", "StateInMemory", "VerificationError"]
