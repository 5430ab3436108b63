"""Who may do what: Airflow's own permissions on the deploy DAG of a workload, and that a person meant it.

A reader may read ``<workload>_deploy``; a change needs the right to trigger it. Nobody without a login gets anything.
"""

from __future__ import annotations

from typing import Annotated, Any

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.common.db.common import SessionDep
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag
from airflow.api_fastapi.logging.decorators import action_logging
from airflow.models.dag import DagModel
from fastapi import Depends, HTTPException, Request

SUFFIX = "_deploy"
"""A workload's deploy DAG is named after it. The routes name the DAG, because Airflow's checks read ``dag_id``."""
HEADER, HEADER_VALUE = "x-nightjar-page", "models"


def deliberate(request: Request) -> None:
    """Refuses what another page can make a person's browser send, together with the cookie of the login.

    A form cannot send JSON or a header of its own, and a script of another origin may not without Airflow's consent.

    Raises:
        HTTPException: The request is not one that the models page makes.
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPException(415, "Send JSON, with the content type application/json.")
    is_ours = request.headers.get(HEADER) == HEADER_VALUE
    if not is_ours or request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise HTTPException(403, "Only the models page makes changes. Open it in Airflow.")


READS: list[Any] = [Depends(requires_access_dag("GET"))]
CHANGES: list[Any] = [
    Depends(requires_access_dag("POST", DagAccessEntity.RUN)),
    Depends(deliberate),
    Depends(action_logging()),
]
"""In this order: what was not permitted is not in the audit log as done."""


def deploy_dag(dag_id: str, session: SessionDep) -> DagModel:
    """The deploy DAG that a route names.

    Raises:
        HTTPException: There is none.
    """
    dag = session.get(DagModel, dag_id) if dag_id.endswith(SUFFIX) else None
    if dag is None or dag.is_stale:
        raise HTTPException(404, f"There is no workload with the DAG {dag_id}.")
    return dag


def workload_of(dag_id: str) -> str:
    """The workload of a deploy DAG."""
    return dag_id.removesuffix(SUFFIX)


def may_change(dag_id: str, user: Any) -> bool:
    """Whether the user may make the changes of this page."""
    return get_auth_manager().is_authorized_dag(
        method="POST",
        access_entity=DagAccessEntity.RUN,
        details=DagDetails(id=dag_id, team_name=DagModel.get_team_name(dag_id)),
        user=user,
    )


DeployDag = Annotated[DagModel, Depends(deploy_dag)]
User = GetUserDep
