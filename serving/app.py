"""The FastAPI application of one worker, made from the route table."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from serving import logs, openapi
from serving.errors import HttpError
from serving.handlers import TITLE
from serving.routes import ROUTES
from serving.state import State

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


class ServiceApp(FastAPI):
    """FastAPI with the routes of ``serving.routes`` and none of its automatic ones."""

    def __init__(self, state: State, lifespan: Lifespan | None = None) -> None:
        # A redirect to the path without its last slash would name the scheme of the last hop: http behind a load
        # balancer that ends TLS.
        super().__init__(title=TITLE, lifespan=lifespan, openapi_url=None, redirect_slashes=False)
        self.state.service = state
        self.add_exception_handler(HttpError, _answer_error)
        self.add_exception_handler(HTTPException, _answer_starlette_error)
        for route in ROUTES:
            self.add_api_route(
                route.path,
                route.handler,
                methods=list(route.methods),
                summary=route.summary,
                include_in_schema=route.operation is not None,
                name=route.handler.__name__,
            )
            if "GET" in route.methods:
                self.add_api_route(route.path, route.handler, methods=["HEAD"], include_in_schema=False)

    def openapi(self) -> dict[str, Any]:
        """Returns the OpenAPI description of this model's service."""
        state: State = self.state.service
        document = get_openapi(title=self.title, version="1", routes=self.routes)
        record = openapi.one_record(state.model.bundle.schema)
        for route in ROUTES:
            if route.operation is not None:
                for method in route.methods:
                    operation = document["paths"][route.path][method.lower()]
                    route.operation.apply(operation, record, state.settings.max_batch)
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas |= openapi.components(state.model.bundle.schema)
        return document


def _answer_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HttpError)
    body = error.body() | {"request_id": logs.request_id.get()}
    return JSONResponse(body, status_code=error.status, headers=error.headers or None)


def _answer_starlette_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    path = request.url.path.rstrip("/")
    misspelt = error.status_code == 404 and any(route.path == path and route.public for route in ROUTES)
    text = f"{error.detail}: the path is {path}" if misspelt else error.detail
    body = {"error": text, "request_id": logs.request_id.get()}
    return JSONResponse(body, status_code=error.status_code, headers=error.headers)
