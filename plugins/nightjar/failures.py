"""Why the tasks of a DAG run failed: each task records its reason, and the run's callback collects them.

A task that failed for good pushes its reason as an XCom. A task whose process died, or that a person ended, has none.
Airflow deletes a task's XComs when it begins anew, so no reason outlives its failure.

A task may fail only because another run has failed, whose message a person has: it raises ReportedElsewhereError.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from airflow.sdk.exceptions import AirflowFailException

FAILURE_KEY = "failure"
NO_REASON = "no reason was recorded: its process was killed, or a person ended it"
REASON_LINES = 15
# The worker reports the state before it calls the task's callback, so the run's callback may be there first.
LOOKS, PAUSE_SECONDS = 4, 1.0


class ReportedElsewhereError(AirflowFailException):
    """Fails a task without a retry: another run has failed, and its failure is reported."""


@dataclass(frozen=True)
class FailedTask:
    """A failed task of a run.

    Attributes:
        name: Its id, with the index in brackets if it is mapped.
        reason: Type and text of the exception, and the try.
        log_url: Its log in the UI; empty if it recorded nothing.
        is_reported: Whether the failure that caused this one is reported by another run.
    """

    name: str
    reason: str
    log_url: str = ""
    is_reported: bool = False


def record_failure(context: Any) -> None:
    """Records why a task failed; the ``on_failure_callback`` of every task.

    Without an exception there is nothing to record: Airflow then calls it in the DAG processor, because the task's
    process has died, and no XCom can be written there.
    """
    error = context.get("exception")
    if error is None:
        return
    instance = context["ti"]
    failure = {"reason": reason_of(error), "try": instance.try_number, "log_url": instance.log_url}
    instance.xcom_push(key=FAILURE_KEY, value={**failure, "is_reported": isinstance(error, ReportedElsewhereError)})


def reason_of(error: object) -> str:
    """Returns type and text of an exception, in a few lines; only the text if it is no exception."""
    kind = f"{type(error).__name__}: " if isinstance(error, BaseException) else ""
    lines = [line for line in f"{kind}{error}".splitlines() if line.strip()]
    return "\n".join(lines[:REASON_LINES]) or "its exception has no text"


def failed_tasks(instance: Any, dag: Any) -> list[FailedTask]:
    """Returns the failed tasks of a run, without those that failed only because another one did.

    Args:
        instance: Any task instance of the run, as Airflow gives it to the run's callback.
        dag: The run's DAG.
    """
    states = instance.get_task_states(dag_id=instance.dag_id, run_ids=[instance.run_id]).get(instance.run_id, {})
    failed = sorted(_task_and_index(name, dag) for name, state in states.items() if state == "failed")
    return _with_reasons(instance, failed)


def _task_and_index(name: str, dag: Any) -> tuple[str, int]:
    """Takes apart what Airflow calls a task in the states of a run: ``task``, or ``task_3`` if it is mapped."""
    if name in dag.task_dict:
        return name, -1
    task, _, index = name.rpartition("_")
    return task, int(index)


def _with_reasons(instance: Any, failed: Sequence[tuple[str, int]]) -> list[FailedTask]:
    found: dict[tuple[str, int], Any] = {}
    for look in range(LOOKS):
        for task, index in failed:
            if not found.get((task, index)):
                found[task, index] = instance.xcom_pull(task_ids=task, map_indexes=index, key=FAILURE_KEY)
        if all(found.values()) or look == LOOKS - 1:
            break
        time.sleep(PAUSE_SECONDS)
    return [_described(task, index, found[task, index]) for task, index in failed]


def _described(task: str, index: int, recorded: dict[str, Any] | None) -> FailedTask:
    name = task if index < 0 else f"{task}[{index}]"
    if not recorded:
        return FailedTask(name, NO_REASON)
    reason = f"try {recorded['try']}: {recorded['reason']}"
    return FailedTask(name, reason, recorded["log_url"], recorded.get("is_reported", False))
