"""A run that ends while runs that it has triggered are at work ends those too, as a person would who marks them failed.

So a person stops a whole chain at its head: their teardown tasks stop the jobs. The listener of DAG runs calls this, in
the API server if a person marks the run as failed, in the scheduler at the run's time limit.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow.models.xcom import XComModel
from airflow.providers.standard.operators.trigger_dagrun import XCOM_RUN_ID
from airflow.utils.state import State
from sqlalchemy import select

from nightjar.triggered_runs import TriggerRunOperator

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun
    from sqlalchemy.orm import Session

log = logging.getLogger(__name__)


def triggered_by(dag_run: DagRun, session: Session) -> list[DagRun]:
    """Returns the runs that a run's tasks have triggered, or adopted, and that have not ended."""
    dag: Any = dag_run.dag  # None for a run whose DAG is gone: what it triggered is not known
    tasks = {task.task_id: task for task in getattr(dag, "tasks", ()) if task.task_type == TriggerRunOperator.__name__}
    if not tasks:
        return []
    query = XComModel.get_many(run_id=dag_run.run_id, dag_ids=dag_run.dag_id, key=XCOM_RUN_ID)
    model: Any = type(dag_run)
    found = []
    for entry in session.scalars(query).all():
        task: Any = tasks.get(entry.task_id)
        if task is None:
            continue
        key = (model.dag_id == task.trigger_dag_id, model.run_id == XComModel.deserialize_value(entry))
        run = session.scalar(select(model).where(*key))
        if run is not None and run.state not in State.finished_dr_states:
            found.append(run)
    return found


def stop_triggered_runs(dag_run: DagRun, session: Session) -> None:
    """Marks the runs that a run has triggered as failed, in the caller's transaction."""
    runs = triggered_by(dag_run, session)
    if not runs:
        return
    # Only the API server has these loaded already.
    from airflow.api_fastapi.core_api.datamodels.dag_run import DagRunMutableStates
    from airflow.api_fastapi.core_api.services.public.dag_run import patch_dag_run_state
    from airflow.models.dagbag import DBDagBag

    for run in runs:
        dag = DBDagBag().get_dag_for_run(run, session=session)
        if dag is None:
            log.warning("%s of %s cannot be stopped: Airflow does not know its DAG", run.run_id, run.dag_id)
            continue
        patch_dag_run_state(dag=dag, dag_run=run, state=DagRunMutableStates.FAILED, session=session)
        log.info("%s of %s was stopped with the run that triggered it, %s", run.run_id, run.dag_id, dag_run.run_id)
