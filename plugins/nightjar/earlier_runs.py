"""A sensor that keeps scheduled runs, and those of a backfill, in the order of their dates while several are active."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.triggers.external_task import DagStateTrigger
from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from nightjar.triggered_runs import ENDED

if TYPE_CHECKING:
    from airflow.sdk import Context

SCHEDULED, BACKFILL = "scheduled", "backfill"


class EarlierRunsSensor(BaseOperator):
    """Waits until the runs of the DAG for earlier dates that are at work have ended.

    A scheduled run waits for scheduled ones only, so that a backfill does not hold them back. A run of a backfill
    waits for any. A run that a person or a task has triggered waits for none.

    A backfill that runs backwards starts with its last date, and would wait for runs that start only after it: the
    sensor fails at once.

    Args:
        poll_seconds: Seconds between two looks.
        longest: Time limit of the wait.
        **kwargs: Arguments of every operator.
    """

    def __init__(self, *, poll_seconds: float = 30, longest: timedelta = timedelta(days=1), **kwargs: Any) -> None:
        super().__init__(execution_timeout=longest, **kwargs)
        self.poll_seconds = poll_seconds

    def execute(self, context: Context) -> None:
        """Looks for the newest earlier run that is at work.

        Raises:
            AirflowFailException: An earlier run of a backfill has not started.
        """
        instance: Any = context["ti"]
        run: Any = context["dag_run"]
        if run.run_type not in (SCHEDULED, BACKFILL):
            return
        queued = instance.get_previous_dagrun(state="queued") if run.run_type == BACKFILL else None
        if queued is not None and queued.run_type == BACKFILL:
            raise AirflowFailException(
                f"{queued.run_id}, for an earlier date, has not started. The runs depend on those before them: start "
                "the backfill again without Run Backwards; or, if that run was cleared, clear this task when it ended."
            )
        earlier = instance.get_previous_dagrun(state="running")
        if earlier is None or (run.run_type == SCHEDULED and earlier.run_type != SCHEDULED):
            return
        self.log.info("Waiting for the end of %s", earlier.run_id)
        states: Any = sorted(ENDED)
        trigger = DagStateTrigger(instance.dag_id, states, [earlier.run_id], poll_interval=self.poll_seconds)
        self.defer(trigger=trigger, method_name="look_again")

    def look_again(self, context: Context, event: Any) -> None:
        """Looks for the next one."""
        self.execute(context)
