"""Traces sent to X-Ray: the segments, and what is said when they do not arrive."""

from __future__ import annotations

import json
import logging
import random
from typing import Any

import pytest

from serving.telemetry.tracing import Sampler, Tracing
from serving.telemetry.xray import XRayExporter
from tests.support.moto_cloud import MotoCloud
from tests.support.telemetry import MODEL, finished

pytestmark = pytest.mark.stack
ROOT = "1-67891233-abcdef012345678912345678"
HEADER = f"Root={ROOT};Parent=53995c3f42cd8ad8".encode()


def send(*requests: dict[str, Any]) -> int:
    """Records requests with these changes, sends them, and returns how many traces did not arrive."""
    dropped: list[int] = []
    rng = random.Random(13)
    tracing = Tracing(MODEL, XRayExporter(dropped.append), Sampler(1.0, rng, 1000), rng)
    for changes in requests:
        tracing.finished(finished(**changes), 1_700_000_000.0)
    tracing.stop(20)
    return sum(dropped)


def received(cloud: MotoCloud) -> list[dict[str, Any]]:
    (trace,) = cloud.client("xray").batch_get_traces(TraceIds=[ROOT])["Traces"]
    return [json.loads(segment["Document"]) for segment in trace["Segments"]]


def test_a_segment_has_the_request_and_the_model(cloud: MotoCloud):
    assert send({"trace_header": HEADER, "caller": "mobile"}) == 0
    (segment,) = received(cloud)
    assert (segment["name"], segment["trace_id"], segment["parent_id"]) == ("nightjar-texts", ROOT, "53995c3f42cd8ad8")
    assert (segment["start_time"], segment["end_time"]) == pytest.approx((1_700_000_100, 1_700_000_100.0042))
    assert segment["http"] == {
        "request": {"method": "POST", "url": "/predict"},
        "response": {"status": 200, "content_length": 70},
    }
    assert segment["annotations"] == {
        "request_id": "r-1", "caller": "mobile", "route": "/predict", "engine": "onnxruntime", "bundle_digest": "0" * 64
    }  # fmt: skip
    assert segment["service"] == {"version": "7"} and not {"error", "throttle", "fault"} & set(segment)


def test_a_segment_says_whose_fault_an_answer_was(cloud: MotoCloud):
    header = f"Self=1-67891234-12456789abcdef012345678;Root={ROOT}".encode()  # a load balancer's: no parent
    assert send(*({"trace_header": header, "status": status} for status in (422, 429, 503))) == 0
    outcomes = {
        segment["http"]["response"]["status"]: {"error", "throttle", "fault", "parent_id"} & set(segment)
        for segment in received(cloud)
    }
    assert outcomes == {422: {"error"}, 429: {"error", "throttle"}, 503: {"fault"}}


def test_many_spans_are_sent_in_batches(cloud: MotoCloud):
    assert send(*({"trace_header": HEADER} for _ in range(120))) == 0
    assert len(received(cloud)) == 120


def test_traces_that_do_not_arrive_are_counted_and_said_once(monkeypatch: pytest.MonkeyPatch, caplog: Any):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with caplog.at_level(logging.WARNING, "serving"):
        assert send(*({} for _ in range(120))) == 120
    (line,) = [record.message for record in caplog.records if "did not reach X-Ray" in record.message]
    assert "127.0.0.1:9" in line
