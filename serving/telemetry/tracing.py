"""Traces with X-Ray ids, sent to X-Ray itself (``xray.py``) or over OTLP to a collector.

Whether a request is traced is decided from the bytes of its header, so an untraced request costs nothing. A span is
made after the request is answered.
"""

from __future__ import annotations

import random
import time
from threading import Thread

from opentelemetry.propagators.aws.aws_xray_propagator import TRACE_HEADER_KEY, AwsXRayPropagator
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import (
    INVALID_SPAN_CONTEXT,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    get_current_span,
)

from serving.telemetry.events import Finished, ServedModel

EXPORT_SECONDS = 3.0
# The propagator ignores a header without a parent, so this one is put in. It is never sent.
_NO_PARENT = "0000000000000001"
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_SCOPE = InstrumentationScope("serving")
_FAILED, _UNSET = Status(StatusCode.ERROR), Status(StatusCode.UNSET)


def otlp_exporter() -> SpanExporter:
    """Sends spans to the collector that ``OTEL_EXPORTER_OTLP_ENDPOINT`` names. Imported here: it is large."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter(timeout=EXPORT_SECONDS)


class Sampler:
    """Decides which requests are traced: by the caller's ``Sampled`` flag, or without one by a ratio.

    Args:
        ratio: Share of requests traced when the caller does not decide.
        rng: Draws them.
        per_second: Most traces in a second, whoever wants them: any caller can ask for one, and each is billed.
    """

    def __init__(self, ratio: float, rng: random.Random, per_second: int) -> None:
        self._ratio = ratio
        self._rng = rng
        self._per_second = per_second
        self._second = self._traced = 0

    def wants(self, header: bytes) -> bool:
        """Whether a request with this ``x-amzn-trace-id`` is traced."""
        if header and (at := header.find(b"Sampled=")) >= 0 and (flag := header[at + 8 : at + 9]) in (b"0", b"1"):
            return flag == b"1" and self._has_room()
        return self._ratio > 0 and self._rng.random() < self._ratio and self._has_room()

    def _has_room(self) -> bool:
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._traced = second, 0
        self._traced += 1
        return self._traced <= self._per_second


class Tracing:
    """Sends a span for each sampled request. Make it in the worker: the processor has a thread.

    A span is made whole when its request has been answered. The tracer of OpenTelemetry, whose spans may change until
    they end, takes six times as long for one.

    Args:
        model: The served model.
        exporter: Where the spans go.
        sampler: Decides which requests are traced.
        rng: Makes the ids, so it must differ from worker to worker.
    """

    def __init__(self, model: ServedModel, exporter: SpanExporter, sampler: Sampler, rng: random.Random) -> None:
        self.wants = sampler.wants
        self._rng = rng
        self._resource = Resource.create(
            {
                "service.name": f"nightjar-{model.workload}",
                "service.version": model.model_version,
                "nightjar.bundle_digest": model.bundle_digest,
                "nightjar.engine": model.engine,
            }
        )
        self._processor = BatchSpanProcessor(exporter)
        self._propagator = AwsXRayPropagator()

    def finished(self, request: Finished, offset: float) -> None:
        """Makes the span of a sampled request.

        Args:
            request: The answered request.
            offset: Seconds to add to its times to get Unix time.
        """
        parent = self._parent(request.trace_header)
        is_root = not parent.is_valid or parent.span_id == int(_NO_PARENT, 16)
        trace_id = parent.trace_id if parent.is_valid else self._new_trace_id()
        span_id = self._rng.getrandbits(64) or 1
        span = ReadableSpan(
            f"{request.method} {request.route}",
            SpanContext(trace_id, span_id, is_remote=False, trace_flags=_SAMPLED),
            parent=None if is_root else parent,
            resource=self._resource,
            kind=SpanKind.SERVER,
            start_time=_nanoseconds(request.started + offset),
            end_time=_nanoseconds(request.ended + offset),
            status=_FAILED if request.status >= 500 else _UNSET,
            instrumentation_scope=_SCOPE,
            attributes={
                "http.request.method": request.method,
                "http.route": request.route,
                "url.path": request.path,
                "http.response.status_code": request.status,
                "http.request.body.size": request.bytes_in,
                "http.response.body.size": request.bytes_out,
                "nightjar.request_id": request.request_id,
                "nightjar.cache": request.cache,
                "nightjar.refusal": request.refusal,
                "nightjar.caller": request.caller,
            },
        )
        self._processor.on_end(span)

    def stop(self, seconds: float) -> None:
        """Sends what is buffered, within ``seconds``. The processor's own shutdown may take half a minute."""
        stopping = Thread(target=self._processor.shutdown, name="tracing-stop", daemon=True)
        stopping.start()
        stopping.join(max(0.0, seconds))

    def _parent(self, header: bytes) -> SpanContext:
        """Trace and span that the header names. A load balancer sends only ``Root``, which the propagator ignores."""
        if not header:
            return INVALID_SPAN_CONTEXT
        pairs = dict(part.strip().split("=", 1) for part in header.decode("latin-1").split(";") if "=" in part)
        carrier = {TRACE_HEADER_KEY: f"Root={pairs.get('Root', '')};Parent={pairs.get('Parent', _NO_PARENT)}"}
        return get_current_span(self._propagator.extract(carrier)).get_span_context()

    def _new_trace_id(self) -> int:
        """An id that X-Ray accepts: its first 32 bits are the time at which the trace began."""
        return (int(time.time()) & 0xFFFFFFFF) << 96 | self._rng.getrandbits(96)


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)
