"""A sensor that keeps scheduled runs, and those of a backfill, in the order of their dates while several are active.

Then it waits for another DAG's runs. In this order, so that a run that waits for another DAG's holds back no earlier
one of its own; in one task, because the first wait is over at once in nearly every run.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.triggers.external_task import DagStateTrigger
from airflow.sdk.exceptions import AirflowFailException

from nightjar.active_runs import NoActiveRunsSensor
from nightjar.triggered_runs import ENDED

if TYPE_CHECKING:
    from airflow.sdk import Context

SCHEDULED, BACKFILL = "scheduled", "backfill"


class EarlierRunsSensor(NoActiveRunsSensor):
    """Waits for the runs of the DAG for earlier dates that are at work, and then for the other DAG's.

    A scheduled run waits for scheduled ones only, so that a backfill does not hold them back. A run of a backfill
    waits for any. A run that a person or a task has triggered waits for none. Every run waits for the other DAG's.

    A backfill that runs backwards starts with its last date, and would wait for runs that start only after it: the
    sensor fails at once.

    Args:
        longest: Time limit of the wait for earlier runs. That of the other DAG's begins when they have ended.
        execution_timeout: Time limit of the latter, as of every operator.
        **kwargs: Arguments of :class:`NoActiveRunsSensor`.
    """

    def __init__(self, *, execution_timeout: timedelta, longest: timedelta = timedelta(days=1), **kwargs: Any) -> None:
        super().__init__(execution_timeout=longest + execution_timeout, **kwargs)

    def execute(self, context: Context) -> None:
        """Defers until the newest earlier run that is at work has ended; when there is none, looks for others.

        Raises:
            AirflowFailException: An earlier run of a backfill has not started.
        """
        if earlier := self._earlier(context):
            self.log.info("Waiting for the end of %s", earlier)
            states: Any = sorted(ENDED)
            trigger = DagStateTrigger(context["ti"].dag_id, states, [earlier], poll_interval=self.poll_seconds)
            self.defer(trigger=trigger, method_name="look_again")
        super().execute(context)

    def look_again(self, context: Context, event: Any) -> None:
        """Looks for the next one."""
        self.execute(context)

    @staticmethod
    def _earlier(context: Context) -> str | None:
        """Returns the id of the newest earlier run to wait for."""
        instance: Any = context["ti"]
        run: Any = context["dag_run"]
        if run.run_type not in (SCHEDULED, BACKFILL):
            return None
        queued = instance.get_previous_dagrun(state="queued") if run.run_type == BACKFILL else None
        if queued is not None and queued.run_type == BACKFILL:
            raise AirflowFailException(
                f"{queued.run_id}, for an earlier date, has not started. The runs depend on those before them: start "
                "the backfill again without Run Backwards; or, if that run was cleared, clear this task when it ended."
            )
        earlier = instance.get_previous_dagrun(state="running")
        if earlier is None or (run.run_type == SCHEDULED and earlier.run_type != SCHEDULED):
            return None
        return str(earlier.run_id)
