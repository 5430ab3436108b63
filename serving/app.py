"""The service: ``uvicorn serving.app:app``. Settings are environment variables, see ``serving.settings``.

``/health`` is alive as soon as the process is; ``/ready`` only when the bundle's golden rows score as in training.
``/docs`` loads its styles from FastAPI's CDN; ``/openapi.json`` does not.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from include.training.request import Checked, FieldProblem
from include.training.score import ScoreError
from serving import logs, validation
from serving.engine import Prediction
from serving.middleware import RequestLog
from serving.model import LoadedModel, ModelHolder, NotReady
from serving.openapi import describe
from serving.settings import Settings, SettingsError
from serving.validation import Refusal

log = logging.getLogger(__name__)


def create_app() -> FastAPI:
    """The application. Settings are read when it starts; wrong ones end the start with every variable named."""
    logs.configure()
    app = FastAPI(title="Nightjar prediction service", lifespan=_lifespan, redoc_url=None)
    app.openapi = lambda: _openapi(app)
    app.add_middleware(RequestLog)
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(NotReady, _not_ready)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_api_route("/health", health, methods=["GET"], summary="Whether the process is alive")
    app.add_api_route("/ready", ready, methods=["GET"], summary="Whether the golden rows score as in training")
    app.add_api_route("/version", version, methods=["GET"], summary="What is served")
    app.add_api_route("/golden", golden, methods=["GET"], summary="Scores the golden rows again")
    app.add_api_route("/predict", predict, methods=["POST"], summary="Scores one record")
    app.add_api_route("/predict/batch", predict_batch, methods=["POST"], summary="Scores several records")
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    try:
        app.state.settings = Settings.from_env()
    except SettingsError as error:
        log.critical("The service cannot start. %s", error)
        raise
    app.state.holder = ModelHolder(app.state.settings)
    app.state.holder.start()
    yield
    log.info("The service stops")


async def health() -> dict[str, str]:
    return {"status": "alive"}


async def ready(request: Request) -> JSONResponse:
    try:
        _model(request)
    except NotReady as error:
        return JSONResponse({"ready": False, "reason": str(error)}, status_code=503)
    return JSONResponse({"ready": True})


async def version(request: Request) -> dict[str, str]:
    model, settings = _model(request), request.app.state.settings
    manifest = model.bundle.manifest
    return {
        "workload": manifest.workload,
        "model_version": settings.model_version,
        "bundle_digest": settings.bundle_digest,
        "dataset_version": manifest.dataset_version,
        "cutoff": manifest.cutoff,
        "code_sha": manifest.code_sha,
        "engine": model.engine.name,
    }


def golden(request: Request) -> dict[str, Any]:
    return _model(request).engine.golden().model_dump(exclude_none=True)


async def predict(request: Request) -> JSONResponse:
    model, settings = _model(request), request.app.state.settings
    checked = validation.one(await validation.read_json(request, settings.max_body_bytes), model.bundle.schema)
    prediction = _score(model, [checked])[0]
    return JSONResponse(_answer(prediction, checked) | {"model_version": settings.model_version})


async def predict_batch(request: Request) -> JSONResponse:
    model, settings = _model(request), request.app.state.settings
    body = await validation.read_json(request, settings.max_body_bytes)
    checked = validation.many(body, model.bundle.schema, settings.max_batch)
    predictions = _score(model, checked, batch=True)
    answers = [_answer(prediction, one) for prediction, one in zip(predictions, checked, strict=True)]
    return JSONResponse({"predictions": answers, "model_version": settings.model_version})


def _model(request: Request) -> LoadedModel:
    return request.app.state.holder.current


def _score(model: LoadedModel, checked: Sequence[Checked], batch: bool = False) -> list[Prediction]:
    try:
        return model.engine.predict([one.record for one in checked])
    except ScoreError as error:
        log.warning("A valid request could not be scored: %s", error)
        problem = (error.index if batch else None, FieldProblem("", str(error)))
        raise Refusal(422, f"the record cannot be scored: {error}", [problem]) from error


def _answer(prediction: Prediction, checked: Checked) -> dict[str, Any]:
    answer: dict[str, Any] = {"prediction": prediction.label, "probability": prediction.probability}
    if checked.warnings:
        answer["warnings"] = [warning._asdict() for warning in checked.warnings]
    return answer


def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refusal)
    # A refused body is not read to its end, so the connection cannot be used again.
    headers = {"connection": "close"} if error.status in (413, 415) else None
    return JSONResponse(error.body() | {"request_id": logs.request_id.get()}, status_code=error.status, headers=headers)


def _not_ready(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"error": f"not ready: {error}", "request_id": logs.request_id.get()}, status_code=503)


def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    body = {"error": error.detail, "request_id": logs.request_id.get()}
    return JSONResponse(body, status_code=error.status_code, headers=error.headers)


def _openapi(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(title=app.title, version="1", routes=app.routes)
    try:
        model = app.state.holder.current
    except NotReady:
        return document
    describe(document, model.bundle.schema.fields, app.state.settings.max_batch)
    return document


app = create_app()
