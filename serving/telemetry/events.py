"""What the service reports to telemetry. Events are made on the request path, so they are cheap to make."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import msgspec


class ServedModel(NamedTuple):
    """The model that a worker serves; the same for its whole life."""

    workload: str
    model_version: str
    bundle_digest: str
    engine: str


class Finished(msgspec.Struct, frozen=True, gc=False):
    """One answered request.

    Attributes:
        method: HTTP method.
        route: Path of a route of the service, or ``other``.
        path: Path as requested.
        status: HTTP status.
        started: ``time.perf_counter()`` at receipt.
        ended: ``time.perf_counter()`` when the answer was passed to uvicorn.
        request_id: The caller's ``x-request-id``, or a new one.
        caller: Name of the caller; empty without API keys.
        trace_header: ``x-amzn-trace-id``; empty if there is none.
        bytes_in: Declared size of the body.
        bytes_out: Size of the answer's body.
        warnings: Number of warnings in the answer.
        cache: ``hit``, ``miss``, or empty where no cache was asked.
        refusal: Short reason of a 4xx or 5xx answer, else empty.
        quiet: Whether the request is a health check: it is neither in the access log nor counted in CloudWatch.
        scores: Whether the route makes predictions, so that its latency is one of a prediction.
    """

    method: str
    route: str
    path: str
    status: int
    started: float
    ended: float
    request_id: str
    caller: str
    trace_header: bytes
    bytes_in: int
    bytes_out: int
    warnings: int
    cache: str
    refusal: str
    quiet: bool
    scores: bool


class Prediction(NamedTuple):
    """One scored record, for the prediction log. ``time`` is Unix time; 0 stands for the time at which it is logged."""

    request_id: str
    record: dict[str, Any]
    probability: float
    prediction: int
    time: float = 0.0


class Recorder(Protocol):
    """What the request path needs of telemetry. Neither method raises nor waits."""

    def finished(self, request: Finished) -> None:
        """Records an answered request."""
        ...

    def predicted(self, prediction: Prediction) -> None:
        """Records a scored record."""
        ...

    def metrics(self) -> tuple[bytes, str]:
        """Returns the Prometheus text of all workers of the task, and its content type."""
        ...

    def start(self) -> None:
        """Starts sending."""
        ...

    def stop(self, seconds: float) -> None:
        """Sends what is buffered, within this time."""
        ...
