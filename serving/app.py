"""The FastAPI application of one process: every route but the fast way of the prediction routes, which is ``serving.fast_path``.

Its own ``/predict`` and ``/predict/batch`` are the reference that the lane is held against; requests reach them only in tests.
``/docs`` loads its styles from FastAPI's CDN; ``/openapi.json`` does not.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from include.model import golden as golden_rows
from include.model.request import Checked
from include.model.score import ScoreError
from serving import logs, page, validation
from serving.fast_path import unscorable
from serving.openapi import describe
from serving.state import State
from serving.validation import Refusal

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(state: State, lifespan: Lifespan | None = None) -> FastAPI:
    """The application around one process's state."""
    app = FastAPI(title="Nightjar prediction service", lifespan=lifespan, redoc_url=None)
    app.state.service = state
    app.openapi = lambda: _openapi(app)
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_api_route("/health", health, methods=["GET"], summary="Whether the process is alive")
    app.add_api_route("/ready", ready, methods=["GET"], summary="Whether the golden rows scored as in training")
    app.add_api_route("/version", version, methods=["GET"], summary="What is served")
    app.add_api_route("/golden", golden, methods=["GET"], summary="Scores the golden rows again")
    app.add_api_route("/metrics", metrics, methods=["GET"], summary="Prometheus metrics of all processes of this task")
    app.add_api_route("/predict", predict, methods=["POST"], summary="Scores one record")
    app.add_api_route("/predict/batch", predict_batch, methods=["POST"], summary="Scores several records")
    page.add_routes(app)
    return app


async def health() -> dict[str, str]:
    return {"status": "alive"}


async def ready() -> dict[str, bool]:
    """A process that serves has proven its bundle; until then ``serving.startup`` answers."""
    return {"ready": True}


async def version(request: Request) -> dict[str, Any]:
    state = _state(request)
    manifest = state.model.bundle.manifest
    return {
        "workload": manifest.workload,
        "model_version": state.settings.model_version,
        "bundle_digest": state.settings.bundle_digest,
        "dataset_version": manifest.dataset_version,
        "cutoff": manifest.cutoff,
        "code_sha": manifest.code_sha,
        "engine": state.model.bundle.model.name,
        "engine_microseconds": round(state.model.median_seconds * 1e6, 1),
        "parity": [report.model_dump(exclude_none=True) for report in manifest.parity],
        "processes": state.settings.workers,
    }


def golden(request: Request) -> dict[str, Any]:
    loaded = _state(request).model.bundle
    return golden_rows.rescore(loaded.golden, loaded.schema, loaded.scorer).model_dump(exclude_none=True)


def metrics(request: Request) -> Response:
    body, content_type = _state(request).telemetry.metrics()
    return Response(body, headers={"content-type": content_type})


async def predict(request: Request) -> JSONResponse:
    state = _state(request)
    checked = validation.one(validation.parse(await _body(request)), state.model.bundle.schema)
    try:
        probability = await state.scoring.one(checked.record)
    except ScoreError as error:
        raise unscorable(error) from error
    return JSONResponse(_answer(state, probability, checked) | {"model_version": state.settings.model_version})


async def predict_batch(request: Request) -> JSONResponse:
    state, body = _state(request), await _body(request)

    def check(body: bytes) -> list[Checked]:
        return validation.many(validation.parse(body), state.model.bundle.schema, state.settings.max_batch)

    try:
        checked, probabilities = await state.scoring.many(body, check, lambda one: one.record)
    except ScoreError as error:
        raise unscorable(error, batch=True) from error
    answers = [_answer(state, probability, one) for probability, one in zip(probabilities, checked, strict=True)]
    return JSONResponse({"predictions": answers, "model_version": state.settings.model_version})


def _state(request: Request) -> State:
    return request.app.state.service


async def _body(request: Request) -> bytes:
    state = _state(request)
    return await validation.read_body(
        request.scope["headers"], request.receive, state.settings.max_body_bytes, state.deadlines
    )


def _answer(state: State, probability: float, checked: Checked) -> dict[str, Any]:
    answer: dict[str, Any] = {"prediction": state.scoring.prediction(probability), "probability": probability}
    if checked.warnings:
        answer["warnings"] = [warning._asdict() for warning in checked.warnings]
    return answer


def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refusal)
    return JSONResponse(
        error.body() | {"request_id": logs.request_id.get()}, status_code=error.status, headers=error.headers or None
    )


def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    body = {"error": error.detail, "request_id": logs.request_id.get()}
    return JSONResponse(body, status_code=error.status_code, headers=error.headers)


def _openapi(app: FastAPI) -> dict[str, Any]:
    state: State = app.state.service
    document = get_openapi(title=app.title, version="1", routes=app.routes)
    describe(document, state.model.bundle.schema.fields, state.settings.max_batch)
    return document
