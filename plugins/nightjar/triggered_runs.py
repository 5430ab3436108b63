"""An operator that triggers a run of another DAG, and waits for its end.

A run has an id that is made from what it is to do. So a task that was killed between the trigger and its end finds the
run when it is retried, as a submit task finds its job (:mod:`nightjar.jobs.submit`), and so does a second run of the
same work. A run that failed is not repeated by a retry: a person clears the task for a new attempt.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.trigger_dagrun import XCOM_RUN_ID, TriggerDagRunOperator
from airflow.providers.standard.triggers.external_task import DagStateTrigger
from airflow.sdk.exceptions import AirflowException, AirflowFailException
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

from nightjar.jobs.submit import attempt_key

if TYPE_CHECKING:
    from airflow.sdk import Context

SUCCESS, FAILED = "success", "failed"
ENDED = {SUCCESS, FAILED}


def run_state(dag_id: str, run_id: str) -> str | None:
    """Returns the state of a run; None if there is none."""
    if not RuntimeTaskInstance.get_dr_count(dag_id=dag_id, run_ids=[run_id]):
        return None
    state = RuntimeTaskInstance.get_dagrun_state(dag_id=dag_id, run_id=run_id)
    return str(getattr(state, "value", state))  # Airflow's own type has another text


def has_succeeded(dag_id: str, run_id: str) -> bool:
    """Whether an attempt of a run has succeeded; ``run_id`` is the id of the first attempt."""
    return latest_attempt(dag_id, run_id)[1] == SUCCESS


def latest_attempt(dag_id: str, run_id: str) -> tuple[str, str | None]:
    """Returns the id of the newest attempt of a run, and its state; None if there is no attempt yet."""
    found, state, number = run_id, run_state(dag_id, run_id), 1
    while state == FAILED and (later := run_state(dag_id, attempt_key(run_id, number + 1))) is not None:
        number += 1
        found, state = attempt_key(run_id, number), later
    return found, state


class TriggerRunOperator(TriggerDagRunOperator):
    """Triggers a run of a DAG unless it exists, and waits for its end without a worker.

    A run that exists is adopted. If the newest attempt has failed before this task began, the next one is started.

    Args:
        run: ``run_id`` and ``conf`` of the run (templated; of a mapped task, one of the mapped values).
        poll_seconds: Seconds between two looks at the run, rounded up to whole ones.
        **kwargs: Arguments of every operator, and ``trigger_dag_id``.
    """

    template_fields = (*TriggerDagRunOperator.template_fields, "run")

    def __init__(self, *, run: Mapping[str, Any], poll_seconds: float = 30, **kwargs: Any) -> None:
        whole = math.ceil(poll_seconds)
        # logical_date None: a run of a date that exists already would be refused
        super().__init__(logical_date=None, wait_for_completion=True, deferrable=True, poke_interval=whole, **kwargs)
        self.run = run

    def execute(self, context: Context) -> str | None:
        """Adopts the run, or triggers it; returns its id if it has succeeded already."""
        first = self.run["run_id"]
        found, state = latest_attempt(self.trigger_dag_id, first)
        if state == SUCCESS:
            context["ti"].xcom_push(key=XCOM_RUN_ID, value=found)
            self.log.info("%s of %s has succeeded: nothing to do", found, self.trigger_dag_id)
            return found
        if state is not None and state not in ENDED:
            self.log.info("%s of %s is %s: adopted", found, self.trigger_dag_id, state)
            context["ti"].xcom_push(key=XCOM_RUN_ID, value=found)
            self.defer(trigger=self._trigger(found), method_name="execute_complete")
        if state == FAILED:
            found = attempt_key(first, _number(found, first) + 1)
        self.trigger_run_id, self.conf = found, dict(self.run["conf"])
        self.log.info("Triggering %s of %s with %s", found, self.trigger_dag_id, self.conf)
        super().execute(context)
        raise AssertionError("the operator of Airflow has not triggered the run")  # it always raises

    def execute_complete(self, context: Context, event: Any) -> str:
        """Returns the id of the run.

        Raises:
            AirflowFailException: It failed. The failure is reported with this task's run (``nightjar.notes``).
        """
        found = event[1]["run_ids"][0]
        try:
            super().execute_complete(context, event)
        except AirflowException as error:
            raise AirflowFailException(
                f"{found} of {self.trigger_dag_id} failed: look at its tasks. The others go on. When the cause is "
                "mended, clear this task for the next attempt."
            ) from error
        return str(found)

    def _trigger(self, run_id: str) -> DagStateTrigger:
        states: Any = [*self.allowed_states, *self.failed_states]
        return DagStateTrigger(self.trigger_dag_id, states, [run_id], poll_interval=self.poke_interval)


def _number(attempt: str, first: str) -> int:
    """The number of an attempt, from its id."""
    return 1 if attempt == first else int(attempt.removeprefix(f"{first}-a"))
