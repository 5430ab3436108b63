"""The FastAPI application of the models page. Every route checks Airflow's permissions (:mod:`models_page.access`)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.common.db.common import SessionDep
from airflow.api_fastapi.core_api.security import requires_authenticated
from airflow.models.dag import DagModel, DagTag
from botocore.exceptions import BotoCoreError, ClientError
from fastapi import Depends, FastAPI, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse
from sqlalchemy import select

from include.errors import ConflictError, NightjarError, NothingToDoError, RefusedError, UserError
from include.pipelines.deploy.live_log import LiveStateError
from include.pipelines.models import overview as overviews
from include.pipelines.models import rows
from include.settings import SettingsError, settings
from models_page import changes, document, links, runs, sources
from models_page.access import READS, SUFFIX, DeployDag, User, may_change, workload_of

PAGE = 50
STATUS: dict[type[NightjarError], int] = {
    UserError: 422,
    RefusedError: 409,
    ConflictError: 409,
    NothingToDoError: 409,
    LiveStateError: 409,
    SettingsError: 503,
}

# Without an OpenAPI document there are no pages of FastAPI's own, which would need no login.
app = FastAPI(title="Models", openapi_url=None)
app.include_router(changes.router)


@app.exception_handler(NightjarError)
def answer_refusal(_request: Request, error: NightjarError) -> JSONResponse:
    """A rule of the platform refuses: its text says what to do."""
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 500)
    return JSONResponse({"detail": str(error)}, status)


@app.exception_handler(ClientError)
@app.exception_handler(BotoCoreError)
def answer_aws_error(_request: Request, error: Exception) -> JSONResponse:
    """AWS refuses, or does not answer."""
    sources.forget_expired(error)
    return JSONResponse({"detail": f"AWS does not answer as it should: {error}. Load the page again."}, 503)


@app.get("/", dependencies=[Depends(requires_authenticated())])
def page() -> HTMLResponse:
    """The page."""
    text, headers = document.page()
    return HTMLResponse(text, headers=headers)


@app.get("/api/workloads", dependencies=[Depends(requires_authenticated())])
def workloads(user: User, session: SessionDep) -> list[dict[str, str]]:
    """The workloads whose deploy DAG the user may read."""
    readable = get_auth_manager().get_authorized_dag_ids(user=user, method="GET")
    query = (
        select(DagModel.dag_id)
        .join(DagTag, DagTag.dag_id == DagModel.dag_id)
        .where(DagTag.name == "nightjar", ~DagModel.is_stale, DagModel.dag_id.endswith(SUFFIX, autoescape=True))
    )
    found = sorted(dag_id for dag_id in session.scalars(query) if dag_id in readable)
    return [{"dag_id": dag_id, "workload": workload_of(dag_id)} for dag_id in found]


@app.get("/api/{dag_id}", dependencies=READS)
def overview(dag: DeployDag, user: User, session: SessionDep) -> dict[str, Any]:
    """What is live of a workload, and what may be done."""
    workload = workload_of(dag.dag_id)
    versions, state = sources.versions(workload), sources.sources().state
    at: Any = {"present": datetime.now(UTC), "running": runs.unfinished(dag.dag_id, session)}
    at["stands_still"] = runs.stands_still(dag)
    found = overviews.overview(workload, versions, state, sources.measured(workload), **at)
    deploying = found["deploying"]
    return {
        **found,
        "dag_id": dag.dag_id,
        "may_change": may_change(dag.dag_id, user),
        "stands_still": at["stands_still"],
        "look_seconds": sources.look_seconds(),
        "pages": links.workload_pages(workload, session),
        "deploy_page": links.run_page(dag.dag_id, deploying["run_id"]) if deploying else "",
    }


@app.get("/api/{dag_id}/versions", dependencies=READS)
def version_rows(
    dag: DeployDag,
    before: Annotated[int | None, Query(ge=1)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = PAGE,
) -> dict[str, Any]:
    """A part of the table of versions: the newest before a number."""
    workload = workload_of(dag.dag_id)
    live, _ = overviews.read_live(workload, sources.sources().state)
    older = [version for version in sources.versions(workload) if before is None or version.number < before]
    return {"rows": [rows.row(version, live) for version in older[:limit]], "more": max(len(older) - limit, 0)}


@app.get("/api/{dag_id}/points", dependencies=READS)
def points(dag: DeployDag) -> list[rows.VersionPoint]:
    """Every version's place in the plot, oldest first."""
    workload = workload_of(dag.dag_id)
    live, _ = overviews.read_live(workload, sources.sources().state)
    return [rows.point(version, live) for version in reversed(sources.versions(workload))]


@app.get("/api/{dag_id}/versions/{number}", dependencies=READS)
def version_details(dag: DeployDag, number: int) -> dict[str, Any]:
    """Everything about one version."""
    workload, used = workload_of(dag.dag_id), sources.sources()
    live, _ = overviews.read_live(workload, used.state)
    version = sources.version(workload, number)
    found = rows.details(version, live)
    pages = links.version_pages(version, used.state, settings().artifact_bucket, used.registry.conn)
    if run := found["rolled_back_by"]:
        pages["Roll-back"] = links.run_page(dag.dag_id, run)
    return {**found, "pages": pages}
