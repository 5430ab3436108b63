"""Whatever dies, is cleared, or runs twice, in any order: service, /version, live log and registry agree at the end.

A model-based test: hypothesis generates histories of deploy runs (``tests.support.deploy_runs``), which execute the
DAG's real tasks, and searches for one that breaks an invariant.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from nightjar.state.hook import StateHook

from include.lake import state_keys
from include.pipelines.deploy.live import LivePointer
from tests.support import deploy_runs
from tests.support.deploy_runs import FAILED, POINTER, SUCCESS, DeployRun, Deploys, Killed, StateInMemory
from tests.support.state_table import create_state_table

MODULE, DAG = deploy_runs.deploy_dag()
TASKS = sorted(task.task_id for task in DAG.tasks)
STORES: list[Any] = []  # where a machine gets its store from: the class is hypothesis', so it takes no arguments
COUNTS = {"histories": 0, "tasks": 0, "kills": 0, "clears": 0, "runs": 0}


class Death(NamedTuple):
    """What happens in a task: a worker dies, or a call is denied, around its n-th change; and what is left then."""

    countdown: int
    denied: bool
    then: str


DEATHS = st.builds(
    Death,
    st.integers(0, 4),
    st.booleans(),
    st.sampled_from(["the task is tried again", "the task failed", "the run is gone"]),
)
# One entry for each task that runs; None: undisturbed.
PLANS = st.lists(st.one_of(st.none(), st.none(), DEATHS), max_size=9)


class Interleavings(RuleBasedStateMachine):
    """Runs of several deploys, task by task."""

    def __init__(self) -> None:
        super().__init__()
        self.store: Any = STORES[-1]()
        self.deploys = Deploys(self.store, MODULE, DAG)
        self.seen: LivePointer = self.deploys.pointer()
        COUNTS["histories"] += 1

    @initialize()
    def three_versions_were_live(self) -> None:
        for version in (1, 2, 3):
            self.deploys.approve(crashes=False, scores_wrongly=False)
            self.deploys.finish(self.deploys.trigger(automatic=True))
            self.seen = self.deploys.pointer()
            assert self.seen["version"] == version

    # --- what people and other DAGs do
    @precondition(lambda self: len(self.deploys.registry.packages) < 9)
    @rule(fault=st.sampled_from(["", "", "crashes", "scores_wrongly"]))
    def approve(self, fault: str) -> None:
        self.deploys.approve(crashes=fault == "crashes", scores_wrongly=fault == "scores_wrongly")

    @precondition(lambda self: len(self._unfinished()) < 3)
    @rule(
        version=st.sampled_from(["latest", "latest", "previous", "previous", "live", "repair", 1, 2, 3, 4]),
        automatic=st.booleans(),
        release_hold=st.booleans(),
        reason=st.sampled_from([None, "it was better"]),
        plan=PLANS,
        data=st.data(),
    )
    def trigger(
        self,
        version: Any,
        automatic: bool,
        release_hold: bool,
        reason: str | None,
        plan: list[Death | None],
        data: st.DataObject,
    ) -> None:
        COUNTS["runs"] += 1
        if automatic:
            run = self.deploys.trigger(automatic=True)
        else:
            run = self.deploys.trigger(version, release_hold=release_hold, reason=reason)
        self._follow(run, plan, data)

    @rule()
    def lose_the_pointers_copy(self) -> None:
        if isinstance(self.store, StateInMemory):
            self.store.delete(*POINTER)
        else:
            pk, sk = POINTER
            self.store.conn.delete_item(TableName=self.store.table, Key={"pk": {"S": pk}, "sk": {"S": sk}})

    @rule(full=st.booleans())
    def fill_the_cluster(self, full: bool) -> None:
        self.deploys.full = full

    @rule()
    def a_rollout_ends(self) -> None:
        self.deploys.service.finish_rollout(self.deploys.exit_code)

    # --- what happens to runs
    @precondition(lambda self: self._unfinished())
    @rule(data=st.data(), plan=PLANS)
    def go_on(self, data: st.DataObject, plan: list[Death | None]) -> None:
        self._follow(data.draw(st.sampled_from(self._unfinished())), plan, data)

    @precondition(lambda self: any(run.states and not run.dead for run in self.deploys.runs))
    @rule(data=st.data(), downstream=st.booleans(), plan=PLANS)
    def clear(self, data: st.DataObject, downstream: bool, plan: list[Death | None]) -> None:
        run = data.draw(st.sampled_from([run for run in self.deploys.runs if run.states and not run.dead][-4:]))
        COUNTS["clears"] += 1
        self.deploys.clear(run, data.draw(st.sampled_from(sorted(run.states))), downstream=downstream)
        self._follow(run, plan, data)

    def _follow(self, run: DeployRun, plan: list[Death | None], data: st.DataObject) -> None:
        for death in plan:
            if run.dead or not self._step(run, data, death):
                return

    def _unfinished(self) -> list[DeployRun]:
        return [run for run in self.deploys.runs if not run.dead and self.deploys.ready(run)]

    def _step(self, run: DeployRun, data: st.DataObject, death: Death | None) -> str | None:
        deploys, before = self.deploys, self.deploys.pointer()
        had_begun = self._has_begun(run)
        service = (deploys.service.set_to, deploys.service.desired)
        deploys.kills.changes.clear()
        deploys.kills.plan(death and death.countdown, denied=bool(death and death.denied))
        ready = deploys.ready(run)
        task_id = data.draw(st.sampled_from(ready)) if ready else None
        try:
            deploys.step(run, lambda _: str(task_id))
            COUNTS["tasks"] += 1
        except Killed:
            COUNTS["kills"] += 1
            if death and death.then == "the task failed" and task_id:
                run.states[task_id] = FAILED
            run.dead = bool(death and death.then == "the run is gone")
        deploys.kills.plan(None, denied=False)
        self._check_step(run, before, service, had_begun=had_begun)
        if ready and not run.dead and not deploys.ready(run):
            self._check_run(run)
        return task_id

    # --- what must hold
    def _check_step(self, run: DeployRun, before: LivePointer, service: tuple[str, int], *, had_begun: bool) -> None:
        after, intent = self.deploys.pointer(), before["intent"]
        if before["hold"] and not after["hold"]:
            assert run.params["release_hold"] and after["version"] == run.xcoms["resolve"]["version"]
        began = after["intent"]
        if began and began != intent and began["status"] == "open":
            assert began["run_id"] == run.run_id
            assert began["kind"] != "rollback" or (after["hold"] and str(before["version"]) in after["rolled_back"])
            if run.automatic and began["kind"] != "restore":
                assert not before["hold"] and str(began["version"]) not in before["rolled_back"]
        if intent and intent["run_id"] != run.run_id and had_begun:
            assert before == after, "an older run changed what is live"
            now = (self.deploys.service.set_to, self.deploys.service.desired)
            undone = (after["task_definition"], service[1]) if intent["status"] != "open" else service
            assert now in (service, undone), "an older run changed the service"

    def _has_begun(self, run: DeployRun) -> bool:
        items = self.deploys.state.query(state_keys.live_partition_key("flights")).values()
        return any(item["intent"]["run_id"] == run.run_id for item in items)

    def _check_run(self, run: DeployRun) -> None:
        """A run is over: green and all agree, or red and the service is on the last verified version."""
        pointer, service = self.deploys.pointer(), self.deploys.service
        intent = pointer["intent"]
        if intent is None or intent["run_id"] != run.run_id:
            return
        if self.deploys.colour(run) == SUCCESS and run.states.get("deployed") == SUCCESS:
            assert pointer["version"] == run.xcoms["resolve"]["version"]
            self._check_agreement(pointer)
        elif "failed" not in (run.states.get("restore_service"), run.states.get("sense_restore")):
            assert service.set_to == pointer["task_definition"] or not service.desired

    def _check_agreement(self, pointer: LivePointer) -> None:
        deploys, version = self.deploys, pointer["version"]
        assert version is not None
        assert deploys.service.set_to == deploys.service.serving == pointer["task_definition"]
        answer = deploys.service.get("/version").body
        assert (answer["model_version"], answer["bundle_digest"]) == (str(version), pointer["bundle_digest"])
        assert deploys.status(version) == "Approved"
        for rolled_back in pointer["rolled_back"]:
            assert int(rolled_back) == version or deploys.status(int(rolled_back)) == "Rejected"

    @invariant()
    def only_verified_versions_are_live(self) -> None:
        pointer = self.deploys.pointer()
        assert pointer["task_definition"] is None or pointer["task_definition"] in self.deploys.verified
        assert pointer["revision"] >= self.seen["revision"]
        self.seen = pointer

    @invariant()
    def only_the_versions_own_fault_rejects_it(self) -> None:
        rolled_back = self.deploys.pointer()["rolled_back"]
        for known in self.deploys.registry.packages:
            at_fault = str(known.version) in self.deploys.crashing | self.deploys.service.wrong
            if known.status == "Rejected" and "failed" in known.description:
                assert at_fault, f"version {known.version}: {known.description} {rolled_back}"

    def teardown(self) -> None:
        """One more undisturbed run leaves the service on the last verified version, green or red."""
        if not self.deploys.runs:
            return
        self.deploys.full = False
        for _ in range(2):  # the first may find a rollout of a dead run in progress
            run = self.deploys.trigger("latest", release_hold=True)
            self.deploys.finish(run)
        self.deploys.service.finish_rollout(self.deploys.exit_code)  # one that a restore began
        pointer = self.deploys.pointer()
        assert self.deploys.service.set_to == pointer["task_definition"] == self.deploys.service.serving
        if self.deploys.colour(run) == SUCCESS:
            self._check_agreement(pointer)


def explore(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        Interleavings,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
        ),
    )
    assert COUNTS["kills"] > examples / 6 and COUNTS["clears"] > examples, COUNTS


def test_deploys_agree_in_every_interleaving() -> None:
    STORES.append(StateInMemory)
    explore(examples=100, steps=40)


@pytest.mark.stack
def test_deploys_agree_in_interleavings_on_a_real_state_table(aws: Any) -> None:
    tables = iter(range(10**6))

    def table() -> StateHook:
        name = f"state-{next(tables)}"
        create_state_table(aws("dynamodb"), name)
        return StateHook(name)

    STORES.append(table)
    explore(examples=10, steps=30)
