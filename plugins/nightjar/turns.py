"""Runs of another DAG, triggered in their order and not too many at once: a mapped task group, and its outcome."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator, task_group
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async

from nightjar.triggered_runs import TriggerRunOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

FAILURES = {"failed", "upstream_failed"}
ENDED = {"success", "skipped", "removed"} | FAILURES
_RUN = "{}.run"  # id of the tasks that trigger, by their group


class TurnSensor(BaseOperator):
    """Waits until fewer than ``limit`` earlier instances of a mapped task are at work, so that they start in order.

    It is mapped over the same values as that task, and comes before it. Only one instance waits at a time
    (``max_active_tis_per_dagrun``), so two cannot take one place.

    Args:
        of_task: Id of the mapped task.
        limit: How many of its instances may be at work (templated).
        poll_seconds: Seconds between two looks.
    """

    template_fields = ("limit",)

    def __init__(self, *, of_task: str, limit: Any, poll_seconds: float = 30, **kwargs: Any) -> None:
        super().__init__(max_active_tis_per_dagrun=1, **kwargs)
        self.of_task = of_task
        self.limit = limit
        self.poll_seconds = poll_seconds

    def execute(self, context: Context) -> None:
        """Looks for the first time."""
        instance: Any = context["ti"]
        place: Any = (instance.dag_id, instance.run_id, self.of_task, instance.map_index)
        if working(*place) >= int(self.limit):
            trigger = TurnTrigger(*place, limit=int(self.limit), poll_seconds=self.poll_seconds)
            self.defer(trigger=trigger, method_name="resume")

    def resume(self, context: Context, event: Any) -> None:
        """Ends the wait."""


class TurnTrigger(BaseTrigger):
    """Fires once fewer than ``limit`` earlier instances of a mapped task are at work."""

    def __init__(self, dag_id: str, run_id: str, of_task: str, before: int, *, limit: int, poll_seconds: float) -> None:
        super().__init__()
        self.dag_id = dag_id
        self.run_id = run_id
        self.of_task = of_task
        self.before = before
        self.limit = limit
        self.poll_seconds = poll_seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Returns the class path and the arguments, as Airflow stores them."""
        names = ("dag_id", "run_id", "of_task", "before", "limit", "poll_seconds")
        return f"{__name__}.{type(self).__qualname__}", {name: getattr(self, name) for name in names}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Looks every ``poll_seconds``."""
        place = (self.dag_id, self.run_id, self.of_task, self.before)
        while True:
            await asyncio.sleep(self.poll_seconds)
            if await sync_to_async(working)(*place) < self.limit:
                break
        yield TriggerEvent({})


def working(dag_id: str, run_id: str, task_id: str, before: int) -> int:
    """Returns how many instances of a mapped task with a lower index have not ended; one without a state has not."""
    states = task_states(dag_id, run_id, [task_id])
    return sum(states.get(f"{task_id}_{index}") not in ENDED for index in range(before))


def task_states(dag_id: str, run_id: str, task_ids: Collection[str]) -> dict[str, str | None]:
    """Returns the states of tasks of a run; a mapped instance has ``_<index>`` behind its task's id."""
    found = RuntimeTaskInstance.get_task_states(dag_id=dag_id, task_ids=list(task_ids), run_ids=[run_id])
    states: dict[str, str | None] = found.get(run_id, {})
    return states


def failed_runs(dag_run: Any, group: str, runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Returns the ids of those runs of :func:`runs_in_turn` that failed, or that could not be triggered.

    Args:
        dag_run: The run that triggered them.
        group: The group's id.
        runs: The runs.
    """
    states = task_states(dag_run.dag_id, dag_run.run_id, [_RUN.format(group)])
    return [run["run_id"] for index, run in enumerate(runs) if states.get(f"{_RUN.format(group)}_{index}") in FAILURES]


def runs_in_turn(
    group: str,
    dag_id: str,
    runs: Any,
    limit: Any,
    *,
    pool: str,
    poll_seconds: float,
    longest: timedelta,
    total: timedelta,
) -> Any:
    """Makes a mapped task group that triggers runs of a DAG in their order, and waits for each.

    Args:
        group: The group's id.
        dag_id: The DAG.
        runs: The runs: an XCom reference to a list of ``run_id`` and ``conf``.
        limit: How many of them run at once (a template may be given).
        pool: The pool of the tasks that wait for a run.
        poll_seconds: Seconds between two looks.
        longest: Time limit of one run.
        total: Time limit of all.
    """

    @task_group(group_id=group)
    def one(run: Any) -> None:
        turn = TurnSensor(
            task_id="turn", of_task=_RUN.format(group), limit=limit, poll_seconds=poll_seconds, execution_timeout=total
        )
        turn >> TriggerRunOperator(
            task_id="run",
            trigger_dag_id=dag_id,
            run=run,
            pool=pool,
            poll_seconds=poll_seconds,
            execution_timeout=longest,
        )

    return one.expand(run=runs)
