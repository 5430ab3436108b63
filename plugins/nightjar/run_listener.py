"""Airflow's listener of DAG runs: a run that a person marks as failed ends failed.

Airflow keeps such a run running while a teardown task is open, and skips every other open task. When the teardown task
has ended, Airflow decides the run's state by the tasks at its end. They were skipped, so the run ended *successful*
(Airflow 3.3.1). The listener, which the API server calls, sets them to *upstream failed* instead.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow.listeners import hookimpl
from airflow.utils.state import State, TaskInstanceState
from sqlalchemy.orm import object_session

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun

log = logging.getLogger(__name__)


@hookimpl
def on_dag_run_failed(dag_run: DagRun, msg: str) -> None:
    """Makes the run end failed, if Airflow has not set it to failed because a teardown task is still open."""
    session = object_session(dag_run)
    if session is None or dag_run.state in State.finished_dr_states:
        return
    deciding = last_tasks(dag_run.dag)
    for instance in dag_run.get_task_instances(session=session):
        if instance.task_id in deciding and instance.state not in State.failed_states:
            instance.set_state(TaskInstanceState.UPSTREAM_FAILED, session=session)
    log.info("%s was marked as failed: it ends failed after its teardown tasks", dag_run)


def last_tasks(dag: Any) -> set[str]:
    """Returns the ids of the tasks by which Airflow decides how a run ended: only teardown tasks follow them."""
    return {
        task.task_id
        for task in dag.tasks
        if not task.is_teardown and all(dag.task_dict[after].is_teardown for after in task.downstream_task_ids)
    }
