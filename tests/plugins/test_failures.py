"""The reasons of a run's failed tasks: recorded by the tasks, collected for the run."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from nightjar import failures
from nightjar.failures import FAILURE_KEY, NO_REASON, FailedTask, ReportedElsewhereError, failed_tasks, record_failure

DAG = SimpleNamespace(task_dict={"gate": None, "read": None, "read_2": None})


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made, without their time."""
    made: list[float] = []
    monkeypatch.setattr(failures.time, "sleep", made.append)
    return made


class Instance:
    """A task instance with the states and XComs of its run."""

    dag_id, task_id, run_id, try_number, log_url = "w_process", "gate", "manual__1", 3, "http://127.0.0.1/log"

    def __init__(self, **states: str | None) -> None:
        self.states = states
        self.xcoms: dict[tuple[str, int], Any] = {}
        self.late: list[dict[tuple[str, int], Any]] = []  # what is recorded before each of the next looks

    def get_task_states(self, dag_id: str, run_ids: list[str]) -> dict[str, dict[str, str | None]]:
        assert (dag_id, run_ids) == (self.dag_id, [self.run_id])
        return {self.run_id: self.states}

    def xcom_push(self, key: str, value: Any) -> None:
        assert key == FAILURE_KEY
        self.xcoms[self.task_id, -1] = value

    def xcom_pull(self, task_ids: str, map_indexes: int, key: str) -> Any:
        assert key == FAILURE_KEY
        found = self.xcoms.get((task_ids, map_indexes))
        if self.late:
            self.xcoms |= self.late.pop(0)
        return found


def recorded(reason: str) -> dict[str, Any]:
    return {"reason": reason, "try": 1, "log_url": "http://log"}


def test_a_task_records_its_exception_try_and_log() -> None:
    instance = Instance(gate="failed")
    record_failure({"ti": instance, "exception": ValueError("first\n\n" + "\n".join(map(str, range(100))))})
    (task,) = failed_tasks(instance, DAG)
    assert task.reason.startswith("try 3: ValueError: first\n0\n") and len(task.reason.splitlines()) == 15
    assert (task.name, task.log_url) == ("gate", "http://127.0.0.1/log")


@pytest.mark.parametrize(
    ("error", "is_reported"), [(ReportedElsewhereError("as told"), True), (AirflowFailException("new"), False)]
)
def test_a_failure_that_another_run_reports_is_recorded_as_such(error: Exception, is_reported: bool) -> None:
    instance = Instance(gate="failed")
    record_failure({"ti": instance, "exception": error})
    assert [task.is_reported for task in failed_tasks(instance, DAG)] == [is_reported]


def test_a_task_without_an_exception_records_nothing_because_airflow_then_calls_it_where_nothing_can_be() -> None:
    instance = Instance(gate="failed")
    record_failure({"ti": instance})
    assert instance.xcoms == {}


def test_only_what_failed_by_itself_counts_and_a_mapped_task_has_its_index() -> None:
    instance = Instance(gate="upstream_failed", read_1="failed", read_0="success", read_2="failed", read_10="failed")
    instance.xcoms = {("read", 1): recorded("one"), ("read_2", -1): recorded("two"), ("read", 10): recorded("ten")}
    assert failed_tasks(instance, DAG) == [
        FailedTask("read[1]", "try 1: one", "http://log"),
        FailedTask("read[10]", "try 1: ten", "http://log"),
        FailedTask("read_2", "try 1: two", "http://log"),
    ]


def test_a_reason_that_is_recorded_a_moment_later_is_waited_for(pauses: list[float]) -> None:
    instance = Instance(gate="failed")
    instance.late = [{("gate", -1): recorded("late")}]
    assert failed_tasks(instance, DAG)[0].reason == "try 1: late"
    assert len(pauses) == 1


def test_a_task_whose_process_died_has_no_reason_and_is_not_waited_for_without_end(pauses: list[float]) -> None:
    assert failed_tasks(Instance(gate="failed"), DAG) == [FailedTask("gate", NO_REASON)]
    assert len(pauses) == failures.LOOKS - 1
