"""Runs of the deploy DAG in Airflow's database, for tests of the models page."""

from __future__ import annotations

from airflow.api.common.trigger_dag import trigger_dag
from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState
from airflow.utils.types import DagRunTriggeredByType
from sqlalchemy import delete, select, update

from tests.support.models_page import DAG, Sources


def no_runs() -> None:
    """Makes the deploy DAG a new one that is not paused."""
    with create_session() as session:
        session.execute(delete(DagRun))
    change_dag(is_paused=False, has_import_errors=False)


def change_dag(**values: bool) -> None:
    """Changes what Airflow knows of the deploy DAG."""
    with create_session() as session:
        session.execute(update(DagModel).where(DagModel.dag_id == DAG).values(**values))


def runs() -> list[DagRun]:
    """The runs of the deploy DAG, oldest first."""
    with create_session() as session:
        return list(session.scalars(select(DagRun).where(DagRun.dag_id == DAG).order_by(DagRun.id)))


def begin_deploy(aws: Sources, state: DagRunState, kind: str = "deploy") -> None:
    """Makes a run of the deploy DAG, which is about to deploy version 3."""
    intent = {"run_id": "canary", "kind": kind, "version": 3, "replaces": 2, "release_hold": False, "reason": None}
    aws.go_live(2, 1, revision=2, intent={**intent, "revision": 2, "status": "open"})
    with create_session() as session:
        trigger_dag(DAG, run_id="canary", triggered_by=DagRunTriggeredByType.TEST, session=session)
        session.execute(update(DagRun).values(state=state))
