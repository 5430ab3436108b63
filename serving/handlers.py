"""The handlers of the routes, as FastAPI calls them. ``serving.routes`` says which route has which.

``predict`` and ``predict_batch`` are the reference with which the fast path is compared; requests reach them only in
tests.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from include.model import golden as golden_rows
from include.model.errors import ScoreError
from include.model.request import Checked
from serving import validation
from serving.errors import HttpError
from serving.fast_path import unscorable
from serving.state import State

TITLE = "Nightjar prediction service"


async def health() -> dict[str, str]:
    """Answers as long as the process is alive."""
    return {"status": "alive"}


async def ready() -> dict[str, bool]:
    """Answers that the model is ready. Until it is, ``serving.startup`` answers in place of the routes."""
    return {"ready": True}


async def version(request: Request) -> dict[str, Any]:
    """Describes the served model."""
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
        **({"model_card_url": state.settings.model_card_url} if state.settings.model_card_url else {}),
    }


def golden(request: Request) -> dict[str, Any]:
    """Scores the golden rows again. FastAPI runs it in a thread."""
    loaded = _state(request).model.bundle
    return golden_rows.rescore(loaded.golden, loaded.schema, loaded.scorer).model_dump(exclude_none=True)


def metrics(request: Request) -> Response:
    """Returns Prometheus metrics of all workers of the task."""
    body, content_type = _state(request).telemetry.metrics()
    return Response(body, headers={"content-type": content_type})


async def openapi(request: Request) -> JSONResponse:
    """Returns the OpenAPI description."""
    return JSONResponse(request.app.openapi())


async def predict(request: Request) -> JSONResponse:
    """Scores one record."""
    state = _state(request)
    checked = validation.one(validation.parse(await _body(request)), state.model.bundle.schema)
    try:
        probability = await state.scoring.one(checked.record)
    except ScoreError as error:
        raise unscorable(error) from error
    return JSONResponse(_answer(state, probability, checked) | {"model_version": state.settings.model_version})


async def predict_batch(request: Request) -> JSONResponse:
    """Scores several records."""
    state, body = _state(request), await _body(request)

    def check(body: bytes) -> list[Checked]:
        return validation.many(validation.parse(body), state.model.bundle.schema, state.settings.max_batch)

    try:
        checked, probabilities = await state.scoring.many(body, check, lambda one: one.record)
    except ScoreError as error:
        raise unscorable(error, batch=True) from error
    answers = [_answer(state, probability, one) for probability, one in zip(probabilities, checked, strict=True)]
    return JSONResponse({"predictions": answers, "model_version": state.settings.model_version})


async def feedback(request: Request) -> JSONResponse:
    """Puts an outcome on the workload's stream."""
    state = _state(request)
    if state.feedback is None:
        raise HttpError(403, "this service accepts no feedback")
    accepted = await state.feedback.accept(validation.parse(await _body(request)))
    return JSONResponse(asdict(accepted), status_code=202)


def _state(request: Request) -> State:
    state: State = request.app.state.service
    return state


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
