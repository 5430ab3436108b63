"""What the service tells telemetry: plain tuples, made on the way of a request."""

from __future__ import annotations

from typing import Any, NamedTuple


class Identity(NamedTuple):
    """What is served; the same for the life of a process."""

    workload: str
    model_version: str
    bundle_digest: str
    engine: str


class Finished(NamedTuple):
    """One answered request."""

    method: str
    route: str  # one of the known routes or "other"
    path: str
    status: int
    started: float  # time.perf_counter() at receipt
    ended: float  # time.perf_counter() when the answer was handed over
    request_id: str
    caller: str  # "" without API keys
    trace_header: bytes  # x-amzn-trace-id or b""
    bytes_in: int
    bytes_out: int
    warnings: int
    cache: str  # "hit" | "miss" | ""
    refusal: str  # short reason class for 4xx and 503, "" else


class Prediction(NamedTuple):
    """One answered record, for the prediction log."""

    request_id: str
    record: dict[str, Any]
    probability: float
    prediction: int
