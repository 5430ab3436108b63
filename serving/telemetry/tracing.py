"""X-Ray traces over OTLP/HTTP, to the collector that ``OTEL_EXPORTER_OTLP_ENDPOINT`` names.

Whether a request is traced is decided from the bytes of its header, so a request that is not costs nothing; a span is made
when the request is over.
"""

from __future__ import annotations

import random
import time
from threading import Thread

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagators.aws.aws_xray_propagator import TRACE_HEADER_KEY, AwsXRayPropagator
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    INVALID_SPAN_CONTEXT,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    StatusCode,
    get_current_span,
    set_span_in_context,
)

from serving.telemetry.events import Finished, Identity

EXPORT_SECONDS = 3.0
_NOBODY = "0000000000000001"  # a parent for a header that has none, for the propagator's sake; never sent


class Sampler:
    """The caller's ``Sampled`` flag decides; without one, the ratio."""

    def __init__(self, ratio: float, chance: random.Random) -> None:
        self._ratio = ratio
        self._chance = chance

    def wants(self, header: bytes) -> bool:
        """Hot path."""
        if header and (at := header.find(b"Sampled=")) >= 0 and (flag := header[at + 8 : at + 9]) in (b"0", b"1"):
            return flag == b"1"
        return self._ratio > 0 and self._chance.random() < self._ratio


class Tracing:
    """Sends a span for each sampled request. Made in the worker: the processor has a thread."""

    def __init__(self, identity: Identity, ratio: float, chance: random.Random) -> None:
        """``chance`` makes the ids as well, so it must differ from process to process."""
        self.wants = Sampler(ratio, chance).wants
        self._ids = _XRayIds(chance)
        resource = Resource.create(
            {
                "service.name": f"nightjar-{identity.workload}",
                "service.version": identity.model_version,
                "nightjar.bundle_digest": identity.bundle_digest,
                "nightjar.engine": identity.engine,
            }
        )
        self._provider = TracerProvider(ALWAYS_ON, resource, shutdown_on_exit=False, id_generator=self._ids)
        self._processor = BatchSpanProcessor(OTLPSpanExporter(timeout=EXPORT_SECONDS))
        self._provider.add_span_processor(self._processor)
        self._tracer = self._provider.get_tracer("serving")
        self._propagator = AwsXRayPropagator()

    def finished(self, request: Finished, offset: float) -> None:
        """The span of a request that is wanted; ``offset`` turns its times into Unix time."""
        caller = self._caller(request.trace_header)
        self._ids.trace = caller.trace_id if caller.is_valid else 0
        nobody = not caller.is_valid or caller.span_id == int(_NOBODY, 16)
        span = self._tracer.start_span(
            f"{request.method} {request.route}",
            context=None if nobody else set_span_in_context(NonRecordingSpan(caller)),
            kind=SpanKind.SERVER,
            start_time=_nanoseconds(request.started + offset),
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
        if request.status >= 500:
            span.set_status(StatusCode.ERROR)
        span.end(_nanoseconds(request.ended + offset))

    def stop(self, seconds: float) -> None:
        """Sends what waits. The processor's own shutdown may take half a minute, so it is left behind when time is up."""
        ending = Thread(target=self._processor.shutdown, name="tracing-stop", daemon=True)
        ending.start()
        ending.join(max(0.0, seconds))

    def _caller(self, header: bytes) -> SpanContext:
        """Trace and span that the header names. A load balancer sends ``Root`` alone, which the propagator takes for no trace."""
        if not header:
            return INVALID_SPAN_CONTEXT
        pairs = dict(part.strip().split("=", 1) for part in header.decode("latin-1").split(";") if "=" in part)
        carrier = {TRACE_HEADER_KEY: f"Root={pairs.get('Root', '')};Parent={pairs.get('Parent', _NOBODY)}"}
        return get_current_span(self._propagator.extract(carrier)).get_span_context()


class _XRayIds(IdGenerator):
    """X-Ray refuses traces whose first 32 bits are not the time at which they began. ``trace`` is the caller's, if not 0."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.trace = 0

    def generate_span_id(self) -> int:
        return self._chance.getrandbits(64) or 1

    def generate_trace_id(self) -> int:
        return self.trace or (int(time.time()) & 0xFFFFFFFF) << 96 | self._chance.getrandbits(96)


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)
