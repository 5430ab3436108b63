"""Pages of the local cloud's jobs and documents, which stand in for the AWS console: read only, without JavaScript."""

from __future__ import annotations

from typing import Any

from airflow.api_fastapi.core_api.security import get_user
from fastapi import Depends, FastAPI, Request
from fastapi.responses import HTMLResponse

from .job_markup import STYLE_HASH, html
from .job_reader import read_job
from .not_shown import NotShownError
from .object_reader import read_document

HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
# A document has its own style. It is data: as if from a foreign origin, without scripts, it reaches nothing of Airflow.
DOCUMENT_HEADERS = {
    **HEADERS,
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; sandbox allow-popups",
}
# Every route needs a user of Airflow. Without an OpenAPI document there are no pages of FastAPI's own.
app = FastAPI(title="Jobs of the local cloud", openapi_url=None, dependencies=[Depends(get_user)])


@app.get("/objects/{bucket}/{key:path}")
def document_page(bucket: str, key: str) -> HTMLResponse:
    """A document that a task has written: an HTML page as it is, JSON as a text."""
    try:
        document = read_document(bucket, key)
    except NotShownError as error:
        return _page(error.status, "document.html", title="No document", text="", problem=str(error))
    if document.is_page:
        return HTMLResponse(document.text, headers=DOCUMENT_HEADERS)
    return _page(200, "document.html", title=document.key, text=document.text, problem="")


@app.get("/{kind}")
def job_page(kind: str, request: Request) -> HTMLResponse:
    """The page of one job, which the class and fields of its reference name."""
    try:
        job = read_job(kind, request.query_params)
    except NotShownError as error:
        return _page(error.status, "job.html", title="No job", job=None, problem=str(error))
    return _page(200, "job.html", title=job.title, job=job, problem="")


def _page(status: int, template: str, **values: Any) -> HTMLResponse:
    return HTMLResponse(html(template, **values), status, HEADERS)
