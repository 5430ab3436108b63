"""The laptop's executor starts no task while an earlier process of the same attempt has not ended.

The tests need Airflow, which only the test environment and Airflow's own have, so they are among those with servers.
"""

from __future__ import annotations

import gc
import importlib
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest

from infra.laptop.airflow_environment import SITE

pytestmark = pytest.mark.stack

KEY, OTHER = "approve, attempt 1", "report, attempt 1"


@pytest.fixture(scope="module")
def module() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(SITE)
        yield importlib.import_module("nightjar_laptop.executor")


@pytest.fixture(scope="module")
def holding(module: Any) -> Any:
    """The module of the class that holds tasks."""
    return importlib.import_module("nightjar_laptop.held_tasks")


@pytest.fixture(scope="module")
def resting(module: Any) -> Any:
    """The module of the class whose workers end."""
    return importlib.import_module("nightjar_laptop.idle_workers")


@pytest.fixture
def executor(module: Any, holding: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An executor whose workers are a list, ``started``, and whose waits end at once and are counted."""
    task = type("Task", (), {"ti": SimpleNamespace(priority_weight=1)})
    monkeypatch.setattr(holding, "ExecuteTask", task)
    monkeypatch.setenv("AIRFLOW__API_AUTH__JWT_SECRET", "a secret of the test")

    class Executor(module.EventDrivenLocalExecutor):
        def __init__(self) -> None:
            super().__init__(parallelism=2)
            self.started: list[str] = []
            self.waits = 0
            self.ending: list[str] = []  # what ends while it waits
            self.unread = self._unread_messages = mock.MagicMock(value=0)
            self.ends = 0
            self.workers: dict[int, Any] = {}
            self.activity_queue = SimpleNamespace(put=self.receive)
            self.result_queue = mock.MagicMock(**{"empty.return_value": True})

        def receive(self, one: Any) -> None:
            if one is None:
                self.ends += 1
            else:
                self.started.append(one.key)

        def make(self, key: str) -> Any:
            one = task()
            one.key = key
            return one

        def _check_workers(self) -> None:
            pass

        def _wait(self) -> bool:
            self.waits += 1
            ended = bool(self.ending)
            while self.ending:
                self.change_state(self.ending.pop(), "success")
            return ended

    return Executor()


def beat(executor: Any, *keys: str) -> list[str]:
    """Queues tasks and lets the scheduler call once; what was started."""
    before = len(executor.started)
    executor.queued_tasks.update({key: executor.make(key) for key in keys})
    executor.heartbeat()
    return executor.started[before:]


def test_a_task_that_is_due_again_waits_for_the_end_of_its_first_process(executor: Any) -> None:
    assert beat(executor, KEY) == [KEY]
    assert beat(executor, KEY, OTHER) == [OTHER]
    assert KEY in executor.queued_tasks, "the scheduler asks has_task before it fails a task"
    assert beat(executor) == []
    executor.change_state(KEY, "running")
    assert beat(executor) == [], "a report that it runs is no end"
    executor.change_state(KEY, "success")
    assert beat(executor) == [KEY]


def test_the_scheduler_waits_for_events_while_a_task_is_held(executor: Any) -> None:
    beat(executor, KEY)
    waits = executor.waits
    beat(executor, KEY)
    assert executor.waits == waits + 1, "it would spin"


def test_a_process_that_never_reports_its_end_holds_a_task_for_a_while_only(
    executor: Any, holding: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    beat(executor, KEY)
    assert beat(executor, KEY) == []
    monkeypatch.setattr(holding, "HOLD_SECONDS", -1.0)
    assert beat(executor) == [KEY]


def test_the_scheduler_ends_when_free_workers_take_no_task(
    executor: Any, module: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    beat(executor, KEY)
    beat(executor)
    monkeypatch.setattr(module, "STUCK_SECONDS", -1.0)
    with pytest.raises(module.QueueStuckError, match="one of 1 tasks"):
        beat(executor)


def test_tasks_may_wait_for_workers_that_are_all_busy(
    executor: Any, module: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    beat(executor, KEY, OTHER)
    executor.unread.value = 0  # both were taken
    executor.parallelism = 3
    beat(executor, "a third")
    executor.parallelism = 2
    beat(executor)
    monkeypatch.setattr(module, "STUCK_SECONDS", -1.0)
    assert beat(executor) == []


def test_idle_workers_end_and_each_is_told_once(executor: Any, resting: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    executor.workers = {1: "a worker", 2: "another"}
    beat(executor)
    assert executor.ends == 0
    monkeypatch.setattr(resting, "IDLE_SECONDS", -1.0)
    beat(executor)
    beat(executor)
    assert executor.ends == 2
    executor.workers = {3: "started for a task"}
    beat(executor)
    assert executor.ends == 3


def test_no_worker_ends_while_a_task_runs(executor: Any, resting: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    executor.workers = {1: "a worker"}
    monkeypatch.setattr(resting, "IDLE_SECONDS", -1.0)
    beat(executor, KEY)
    beat(executor)
    assert executor.ends == 0
    executor.change_state(KEY, "success")
    beat(executor)
    assert executor.ends == 1


def test_started_workers_leave_what_the_scheduler_shares_out_of_the_search_for_garbage(
    resting: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Airflow takes all of it back in, and the next search would give the scheduler a copy."""
    monkeypatch.setenv("AIRFLOW__API_AUTH__JWT_SECRET", "a secret of the test")
    started = []

    class Executor(resting.RestingLocalExecutor):
        def _spawn_worker(self) -> None:
            started.append(gc.get_freeze_count())

    gc.freeze()
    frozen = gc.get_freeze_count()
    try:
        Executor(parallelism=2).start()
        assert len(started) == 2 and gc.get_freeze_count() > frozen / 2
    finally:
        gc.unfreeze()


def test_a_task_that_was_held_starts_without_a_round_when_its_process_ends(executor: Any) -> None:
    beat(executor, KEY)
    executor.ending = [KEY]
    waits = executor.waits
    assert beat(executor, KEY) == [KEY]
    assert executor.waits == waits + 2, "after the end it goes on waiting"
