"""A deferrable sensor: waits until another DAG has no active run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async

ACTIVE = ["running", "queued"]


def active_runs(dag_id: str) -> int:
    """Returns how many runs of a DAG are running or queued."""
    return RuntimeTaskInstance.get_dr_count(dag_id=dag_id, states=ACTIVE)


class NoActiveRunsSensor(BaseOperator):
    """Waits until no run of a DAG is running or queued, so that nothing changes what it writes.

    It fails at the deadline, without a retry.

    Args:
        other_dag_id: The DAG.
        advice: What to do at the deadline.
        deadline_seconds: How long to wait, from the task's start.
        poll_seconds: Seconds between two looks.
    """

    def __init__(
        self, *, other_dag_id: str, advice: str, deadline_seconds: float, poll_seconds: float = 30, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.other_dag_id = other_dag_id
        self.advice = advice
        self.deadline_seconds = deadline_seconds
        self.poll_seconds = poll_seconds

    def execute(self, context: Any) -> None:
        """Looks for the first time."""
        if active_runs(self.other_dag_id):
            self._defer((datetime.now(UTC) + timedelta(seconds=self.deadline_seconds)).isoformat())

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
        self.defer(trigger=NoActiveRunsTrigger(self.other_dag_id, deadline, self.poll_seconds), method_name="resume")


class NoActiveRunsTrigger(BaseTrigger):
    """Fires once, with the number of active runs: 0, or more at the deadline.

    Args:
        other_dag_id: The DAG.
        deadline: ISO 8601 instant with an offset.
        poll_seconds: Seconds between two looks.
    """

    def __init__(self, other_dag_id: str, deadline: str, poll_seconds: float) -> None:
        super().__init__()
        self.other_dag_id = other_dag_id
        self.deadline = deadline
        self.poll_seconds = poll_seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Returns the class path and the arguments, as Airflow stores them."""
        names = ("other_dag_id", "deadline", "poll_seconds")
        return f"{__name__}.{type(self).__qualname__}", {name: getattr(self, name) for name in names}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Looks every ``poll_seconds``."""
        deadline = datetime.fromisoformat(self.deadline)
        active = 1
        while active and datetime.now(UTC) < deadline:
            await asyncio.sleep(self.poll_seconds)
            active = await sync_to_async(active_runs)(self.other_dag_id)
        yield TriggerEvent({"active": active})
