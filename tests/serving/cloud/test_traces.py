"""Traces of a real service: they reach X-Ray with the task's role, and without the permission no request is lost."""

from __future__ import annotations

import http.client
import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.texts_service import TextsService

pytestmark = pytest.mark.stack
BODY = b'{"text_length": 120, "num_keywords": 3}'
SAID = "did not reach X-Ray"


def traced(service: TextsService, request_id: str, address: str = "127.0.0.1", port: int = 0) -> str:
    """Sends a request that asks for a trace, through the load balancer or to a task, and returns the trace's id."""
    trace_id = f"1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]}"
    connection = http.client.HTTPConnection(address, port or service.listener, timeout=60)
    headers = {"x-amzn-trace-id": f"Root={trace_id};Sampled=1", "x-request-id": request_id}
    connection.request("POST", "/predict", BODY, {**headers, "content-type": "application/json"})
    assert connection.getresponse().status == 200
    connection.close()
    return trace_id


def segments(service: TextsService, trace_id: str) -> list[dict[str, Any]]:
    traces = service.cloud.client("xray").batch_get_traces(TraceIds=[trace_id])["Traces"]
    return [json.loads(segment["Document"]) for trace in traces for segment in trace["Segments"]]


@contextmanager
def denied(service: TextsService) -> Iterator[None]:
    """The task's role may not send segments."""
    iam = service.cloud.client("iam")
    deny = {"Effect": "Deny", "Action": "xray:PutTraceSegments", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    iam.put_role_policy(RoleName="service", PolicyName="no-traces", PolicyDocument=policy)
    try:
        yield
    finally:
        iam.delete_role_policy(RoleName="service", PolicyName="no-traces")


def test_a_trace_reaches_xray_and_is_found_by_the_requests_id(version_1: TextsService):
    started = time.time() - 60
    trace_id = traced(version_1, "find-me")
    (segment,) = version_1.cloud.wait_until(lambda: segments(version_1, trace_id))
    assert (segment["name"], segment["service"]) == ("nightjar-texts", {"version": "1"})
    found = version_1.cloud.client("xray").get_trace_summaries(
        StartTime=started,
        EndTime=time.time() + 60,
        FilterExpression='service("nightjar-texts") AND annotation.request_id = "find-me"',
    )["TraceSummaries"]
    assert [summary["Id"] for summary in found] == [trace_id]
    sender = [call for call in version_1.cloud.requests() if call["action"] == "PutTraceSegments"][-1]
    assert "role/service" in sender["role"]


def test_without_the_permission_the_service_answers_and_says_so_once(version_1: TextsService):
    task = version_1.tasks()[0]
    address = task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"]
    with denied(version_1):
        lost = [traced(version_1, f"lost-{number}", address, version_1.container_port) for number in range(2)]
        version_1.cloud.wait_until(lambda: lines(version_1))
        lost.append(traced(version_1, "lost-2", address, version_1.container_port))
        version_1.cloud.wait_until(lambda: dropped(version_1, address) == 3)
    (line,) = lines(version_1)
    assert "not authorized to perform: xray:PutTraceSegments" in line
    assert not any(segments(version_1, trace_id) for trace_id in lost)
    allowed_again = traced(version_1, "allowed-again", address, version_1.container_port)
    version_1.cloud.wait_until(lambda: segments(version_1, allowed_again))


def lines(service: TextsService) -> list[str]:
    """The log lines that say that traces did not arrive."""
    logs = service.cloud.client("logs").get_paginator("filter_log_events").paginate(logGroupName="/ecs/texts")
    return [event["message"] for page in logs for event in page["events"] if SAID in event["message"]]


def dropped(service: TextsService, address: str) -> float:
    """The task's count of traces that did not arrive."""
    connection = http.client.HTTPConnection(address, service.container_port, timeout=60)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    start = 'nightjar_dropped_total{what="traces"'
    (value,) = [line.split()[-1] for line in text.splitlines() if line.startswith(start)]
    return float(value)
