"""Against a real OTLP receiver: an HTTP server on loopback that decodes what the exporter sends."""

from __future__ import annotations

import gzip
import random
import threading
import time
from collections.abc import Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from serving.telemetry.tracing import Sampler, Tracing, otlp_exporter
from tests.support.telemetry import MODEL, finished

ROOT = "1-67891233-abcdef012345678912345678"
TRACE = ROOT[2:].replace("-", "")
OFFSET = 1_700_000_000.0


class Receiver:
    """Receives traces at ``/v1/traces``."""

    def __init__(self) -> None:
        self.requests: list[ExportTraceServiceRequest] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                body = gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body
                receiver.requests.append(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    @property
    def spans(self) -> list[Span]:
        resources = [resource for request in self.requests for resource in request.resource_spans]
        return [span for resource in resources for scope in resource.scope_spans for span in scope.spans]


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    receiver = Receiver()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


def make() -> Tracing:
    rng = random.Random(13)
    return Tracing(MODEL, otlp_exporter(), Sampler(1.0, rng, 1000), rng)


def sent(receiver: Receiver, header: str, **changes: object) -> Span:
    tracing = make()
    tracing.finished(finished(trace_header=header.encode("latin-1"), **changes), OFFSET)
    tracing.stop(5)
    return receiver.spans[-1]


def attributes(pairs: Iterable[KeyValue]) -> dict[str, object]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value") or "string_value") for pair in pairs}


def test_the_callers_flag_decides_or_else_the_ratio():
    always, never = Sampler(1.0, random.Random(13), 1000), Sampler(0.0, random.Random(13), 1000)
    assert never.wants(f"Root={ROOT};Sampled=1".encode())
    assert not always.wants(f"Root={ROOT};Sampled=0;Lineage=x".encode())
    for undecided in (b"", f"Root={ROOT}".encode(), f"Root={ROOT};Sampled=?".encode(), b"Sampled=", b"\xff"):
        assert always.wants(undecided)
        assert not never.wants(undecided)
    some = Sampler(0.25, random.Random(13), 1000)
    assert 200 < sum(some.wants(b"") for _ in range(1000)) < 300


def test_there_are_at_most_so_many_traces_a_second_whoever_asks(monkeypatch: pytest.MonkeyPatch):
    now = 7.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    sampler = Sampler(1.0, random.Random(13), 3)
    assert sum(sampler.wants(b"Sampled=1") for _ in range(5)) + sum(sampler.wants(b"") for _ in range(5)) == 3
    now = 8.0
    assert sampler.wants(b"")


@pytest.mark.stack
def test_a_span_continues_the_callers_trace(receiver: Receiver):
    span = sent(receiver, f"Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=1", cache="hit", caller="mobile")
    assert span.trace_id.hex() == TRACE
    assert span.parent_span_id.hex() == "53995c3f42cd8ad8"
    assert (span.name, span.kind) == ("POST /predict", Span.SPAN_KIND_SERVER)
    assert (span.start_time_unix_nano, span.end_time_unix_nano) == (
        pytest.approx((OFFSET + 100) * 1e9, abs=1e3),
        pytest.approx((OFFSET + 100.0042) * 1e9, abs=1e3),
    )
    recorded = attributes(span.attributes)
    assert (recorded["http.response.status_code"], recorded["http.route"], recorded["nightjar.request_id"]) == (
        200,
        "/predict",
        "r-1",
    )
    assert (recorded["nightjar.cache"], recorded["nightjar.caller"]) == ("hit", "mobile")
    resource = attributes(receiver.requests[-1].resource_spans[0].resource.attributes)
    assert (resource["service.name"], resource["service.version"]) == ("nightjar-texts", "7")


@pytest.mark.stack
def test_a_load_balancers_header_has_no_parent(receiver: Receiver):
    span = sent(receiver, f"Self=1-67891234-12456789abcdef012345678;Root={ROOT}", status=503, refusal="overload")
    assert span.trace_id.hex() == TRACE
    assert span.parent_span_id == b""
    assert span.status.code == span.status.STATUS_CODE_ERROR


@pytest.mark.stack
@pytest.mark.parametrize("header", ["", "Root=nonsense", "Sampled=1", f"Root={ROOT};Parent=zz", "=;=\xff"])
def test_a_new_trace_id_starts_with_the_time(receiver: Receiver, header: str):
    span = sent(receiver, header)
    assert abs(int(span.trace_id.hex()[:8], 16) - time.time()) < 60
    assert span.parent_span_id == b""


@pytest.mark.stack
def test_requests_do_not_share_a_trace(receiver: Receiver):
    tracing = make()
    for header in (f"Root={ROOT}", "", ""):
        tracing.finished(finished(trace_header=header.encode()), OFFSET)
    tracing.stop(5)
    assert len({span.trace_id for span in receiver.spans}) == 3


@pytest.mark.stack
def test_stopping_does_not_wait_for_a_collector_that_does_not_answer(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    tracing = make()
    tracing.finished(finished(), OFFSET)
    stopping = threading.Thread(target=tracing.stop, args=(0.2,), daemon=True)
    stopping.start()
    stopping.join(8)  # an export that waited for the collector would take ten seconds
    assert not stopping.is_alive()
