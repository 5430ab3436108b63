"""Runs of the deploy DAG: which have not ended, and a new one for a change."""

from __future__ import annotations

from airflow.api.common.trigger_dag import trigger_dag
from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.utils.state import State
from airflow.utils.types import DagRunTriggeredByType
from fastapi import HTTPException
from sqlalchemy import select
from sqlalchemy.orm import Session

from include.pipelines.models.changes import DeployRun

MOST = 50


def unfinished(dag_id: str, session: Session) -> frozenset[str]:
    """Returns the ids of the runs that have not ended."""
    query = select(DagRun.run_id).where(DagRun.dag_id == dag_id, DagRun.state.in_(State.unfinished_dr_states))
    return frozenset(session.scalars(query.limit(MOST)))


def stands_still(dag: DagModel) -> str:
    """Returns why no run of the DAG starts or takes a step, and what to do; empty if they do."""
    if dag.is_paused:
        return f"{dag.dag_id} is paused: no run of it starts or takes a step. Unpause {dag.dag_id}."
    if dag.has_import_errors:
        return f"{dag.dag_id} has an import error: no run of it starts or takes a step. Mend it."
    return ""


def require_triggerable(dag: DagModel) -> None:
    """Checks that a run of the DAG would start, before anything is changed for it.

    Raises:
        HTTPException: It would not.
    """
    if hindrance := stands_still(dag):
        raise HTTPException(409, f"{hindrance} Then try again.")


def trigger(dag_id: str, run: DeployRun, user: str, session: Session) -> str:
    """Triggers a run in the name of a user, unless there is one for the same change; returns its id.

    A run that has ended without changing what is live is followed by another.
    """
    for attempt in range(1, MOST):
        run_id = f"models-page-{run.key}{f'-a{attempt}' if attempt > 1 else ''}"
        before = DagRun.find_duplicate(dag_id=dag_id, run_id=run_id)
        if before is None:
            trigger_dag(
                dag_id,
                run_id=run_id,
                conf=run.conf,
                triggered_by=DagRunTriggeredByType.UI,
                triggering_user_name=user,
                session=session,
            )
            return run_id
        if before.state in State.unfinished_dr_states:
            return run_id
    raise HTTPException(409, f"{MOST} runs of {dag_id} for this change have ended without it. Look at their logs.")
