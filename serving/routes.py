"""The route table: it declares every route of the service.

A route is internal unless it says ``public=True``: where ``INTERNAL_PORT`` is set, only public routes are answered on
``PORT``. FastAPI's automatic routes are switched off (``serving.app``), so that none of them escapes this table.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from serving import handlers, openapi, page
from serving.fast_path import Answer, FastPath
from serving.openapi import Operation

GET, POST = ("GET",), ("POST",)


@dataclass(frozen=True)
class Route:
    """One route.

    Attributes:
        path: Its path.
        methods: Its HTTP methods; a route of GET also answers HEAD.
        handler: The FastAPI handler.
        summary: Its line in the API description.
        public: Whether the public port answers it.
        quiet: Whether its requests are left out of the access log and of the CloudWatch metrics (health checks).
        operation: Its body and answers in the API description; ``None``: it is not part of the API.
        keyed: Whether its requests need an API key where keys are configured, and count for the caller's rate limit.
        fast: The method that answers a body in place of the handler. A route that has one makes predictions: its
            latency is reported as one of predictions.
        now: The method that is asked first, and answers at once, without warnings, or not at all.
    """

    path: str
    methods: tuple[str, ...]
    handler: Callable[..., Any]
    summary: str = ""
    public: bool = False
    quiet: bool = False
    operation: Operation | None = None
    keyed: bool = False
    fast: Callable[[FastPath, bytes, str], Awaitable[Answer]] | None = None
    now: Callable[[FastPath, bytes, str], bytes | None] | None = None


ROUTES = (
    Route(
        "/predict",
        POST,
        handlers.predict,
        "Score one record",
        public=True,
        operation=openapi.PREDICT,
        keyed=True,
        fast=FastPath.predict,
        now=FastPath.predict_now,
    ),
    Route(
        "/predict/batch",
        POST,
        handlers.predict_batch,
        "Score several records",
        public=True,
        operation=openapi.PREDICT_BATCH,
        keyed=True,
        fast=FastPath.predict_batch,
    ),
    Route(
        "/feedback",
        POST,
        handlers.feedback,
        "Report what came of a prediction",
        public=True,
        operation=openapi.FEEDBACK,
        keyed=True,
    ),
    Route(
        "/health",
        GET,
        handlers.health,
        "Whether the process is alive",
        public=True,
        quiet=True,
        operation=openapi.HEALTH,
    ),
    Route(
        "/ready",
        GET,
        handlers.ready,
        "Whether the model is loaded and scores the golden rows as in training",
        public=True,
        quiet=True,
        operation=openapi.READY,
    ),
    Route("/version", GET, handlers.version, "Describe the served model", operation=openapi.VERSION),
    Route("/golden", GET, handlers.golden, "Score the golden rows again", operation=openapi.GOLDEN),
    Route("/metrics", GET, handlers.metrics, "Prometheus metrics of all workers", operation=openapi.METRICS),
    Route("/openapi.json", GET, handlers.openapi),
    Route("/docs", GET, page.static("docs.html")),
    Route("/docs.js", GET, page.static("docs.js")),
    Route("/", GET, page.static("page.html")),
    Route("/page.css", GET, page.static("page.css")),
    Route("/page.js", GET, page.static("page.js")),
)

BY_PATH = {route.path: route for route in ROUTES}


def is_public(path: str) -> bool:
    """Whether the public port answers this path.

    A trailing slash does not matter: FastAPI redirects to the route without it.
    """
    route = BY_PATH.get(path.rstrip("/"))
    return route is not None and route.public
