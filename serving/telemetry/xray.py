"""Spans as X-Ray's segments, sent with PutTraceSegments and the task's role. No collector runs beside the service."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import batched
from typing import Any

import msgspec
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from serving.telemetry.clients import make_client

BATCH_SEGMENTS = 50  # as X-Ray's own daemon sends
ANNOTATIONS = "nightjar."  # attributes with this prefix are annotations: traces can be searched by them
log = logging.getLogger(__name__)


class XRayExporter(SpanExporter):
    """Sends spans to X-Ray, once each. The first failure is logged, further ones are counted until a batch arrives.

    Args:
        on_dropped: Called with the number of traces that did not arrive.
    """

    def __init__(self, on_dropped: Callable[[int], None]) -> None:
        self._on_dropped = on_dropped
        self._failed = False

    @cached_property
    def _client(self) -> Any:
        return make_client("xray")

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Sends spans. In the thread of the span processor."""
        sent = [self._send(batch) for batch in batched(spans, BATCH_SEGMENTS)]
        return SpanExportResult.SUCCESS if all(sent) else SpanExportResult.FAILURE

    def _send(self, batch: Sequence[ReadableSpan]) -> bool:
        try:
            documents = [msgspec.json.encode(segment(span)).decode() for span in batch]
            answer = self._client.put_trace_segments(TraceSegmentDocuments=documents)
        except Exception as error:  # no permission, no endpoint, no credentials, throttling
            return self._fail(len(batch), str(error))
        if refused := answer.get("UnprocessedTraceSegments"):
            return self._fail(len(refused), f"{refused[0].get('ErrorCode')}: {refused[0].get('Message')}")
        self._failed = False
        return True

    def _fail(self, count: int, reason: str) -> bool:
        self._on_dropped(count)
        if not self._failed:
            self._failed = True
            log.warning("%d traces did not reach X-Ray; further ones are only counted: %s", count, reason)
        return False


def segment(span: ReadableSpan) -> dict[str, Any]:
    """A span of the service as a segment document."""
    context = span.context
    assert context is not None and span.start_time is not None and span.end_time is not None
    trace_id = f"{context.trace_id:032x}"
    given: Mapping[str, Any] = span.attributes or {}
    resource = span.resource.attributes
    status = int(given["http.response.status_code"])
    annotations = {
        name.removeprefix(ANNOTATIONS): value
        for name, value in {**resource, **given}.items()
        if name.startswith(ANNOTATIONS) and value != ""
    }
    document = {
        "name": resource["service.name"],
        "id": f"{context.span_id:016x}",
        "trace_id": f"1-{trace_id[:8]}-{trace_id[8:]}",
        "start_time": span.start_time / 1e9,
        "end_time": span.end_time / 1e9,
        "origin": "AWS::ECS::Container",
        "service": {"version": resource["service.version"]},
        "http": {
            "request": {"method": given["http.request.method"], "url": given["url.path"]},
            "response": {"status": status, "content_length": given["http.response.body.size"]},
        },
        "annotations": {**annotations, "route": given["http.route"]},
    }
    outcome = {"error": 400 <= status < 500, "throttle": status == 429, "fault": status >= 500}
    document |= {name: True for name, is_so in outcome.items() if is_so}
    return document if span.parent is None else {**document, "parent_id": f"{span.parent.span_id:016x}"}
