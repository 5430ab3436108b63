"""A deferrable sensor: waits until another DAG has no run that is at work."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async

RUNNING, QUEUED = "running", "queued"
PATIENCE_SECONDS, PAUSE_SECONDS = 3.0, 0.5  # a run that ends within seconds is not worth a deferral: a second start
OPEN = ["scheduled", "queued", "running", "restarting", "deferred", "up_for_retry", "up_for_reschedule"]


def active_runs(dag_id: str, states: Sequence[str], ignored_tasks: Sequence[str]) -> int:
    """Returns how many runs of a DAG have one of ``states``, without those in which one of ``ignored_tasks`` is open.

    A run of which Airflow has not begun, or has just ended, such a task is counted.
    """
    runs = RuntimeTaskInstance.get_dr_count(dag_id=dag_id, states=list(states))
    if not runs or not ignored_tasks:
        return runs
    return max(0, runs - RuntimeTaskInstance.get_ti_count(dag_id=dag_id, task_ids=list(ignored_tasks), states=OPEN))


class NoActiveRunsSensor(BaseOperator):
    """Waits until no run of a DAG is at work, so that nothing changes what it writes, or reads what this run changes.

    It fails at the deadline, without a retry.

    Args:
        other_dag_id: The DAG.
        ignored_tasks: Tasks that follow one another: while one of them is open, its run does not count.
        states: The states of the runs that count.
        advice: What to do at the deadline.
        deadline_seconds: How long to wait, from the task's start.
        poll_seconds: Seconds between two looks while the task is deferred.
        patience_seconds: How long to wait in the worker before that.
    """

    def __init__(
        self,
        *,
        other_dag_id: str,
        advice: str,
        deadline_seconds: float,
        ignored_tasks: Sequence[str] = (),
        states: Sequence[str] = (RUNNING, QUEUED),
        poll_seconds: float = 30,
        patience_seconds: float = PATIENCE_SECONDS,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.other_dag_id = other_dag_id
        self.ignored_tasks = list(ignored_tasks)
        self.states = list(states)
        self.advice = advice
        self.deadline_seconds = deadline_seconds
        self.poll_seconds = poll_seconds
        self.patience_seconds = patience_seconds

    def execute(self, context: Any) -> None:
        """Looks for a few seconds, then defers."""
        patient_until = time.monotonic() + self.patience_seconds
        while active_runs(self.other_dag_id, self.states, self.ignored_tasks):
            if time.monotonic() + PAUSE_SECONDS > patient_until:
                self._defer((datetime.now(UTC) + timedelta(seconds=self.deadline_seconds)).isoformat())
            time.sleep(PAUSE_SECONDS)

    def resume(self, context: Any, event: dict[str, Any]) -> None:
        """Ends the wait."""
        if event["active"]:
            raise AirflowFailException(
                f"{self.other_dag_id} still has {event['active']} active runs after {self.deadline_seconds:g} s. "
                f"{self.advice}"
            )
        self.log.info("%s has no active run any more", self.other_dag_id)

    def _defer(self, deadline: str) -> NoReturn:
        self.log.info("%s has active runs: waiting for their end, up to %s", self.other_dag_id, deadline)
        which = (self.other_dag_id, self.states, self.ignored_tasks)
        self.defer(trigger=NoActiveRunsTrigger(*which, deadline, self.poll_seconds), method_name="resume")


class NoActiveRunsTrigger(BaseTrigger):
    """Fires once, with the number of active runs: 0, or more at the deadline.

    Args:
        other_dag_id: The DAG.
        states: As of the sensor.
        ignored_tasks: As of the sensor.
        deadline: ISO 8601 instant with an offset.
        poll_seconds: Seconds between two looks.
    """

    def __init__(
        self,
        other_dag_id: str,
        states: Sequence[str],
        ignored_tasks: Sequence[str],
        deadline: str,
        poll_seconds: float,
    ) -> None:
        super().__init__()
        self.other_dag_id = other_dag_id
        self.states = list(states)
        self.ignored_tasks = list(ignored_tasks)
        self.deadline = deadline
        self.poll_seconds = poll_seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Returns the class path and the arguments, as Airflow stores them."""
        names = ("other_dag_id", "states", "ignored_tasks", "deadline", "poll_seconds")
        return f"{__name__}.{type(self).__qualname__}", {name: getattr(self, name) for name in names}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Looks every ``poll_seconds``."""
        deadline = datetime.fromisoformat(self.deadline)
        active = 1
        while active and datetime.now(UTC) < deadline:
            await asyncio.sleep(self.poll_seconds)
            active = await sync_to_async(active_runs)(self.other_dag_id, self.states, self.ignored_tasks)
        yield TriggerEvent({"active": active})
