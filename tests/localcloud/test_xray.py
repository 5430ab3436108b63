"""Traces: segments that are put come back by id, time and filter, and each call is judged by its caller's policies."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.localcloud.xray import traces as traces_of
from tests.support.localcloud import Cloud
from tests.support.policed_roles import allow, assume, delete_role, make_role
from tests.support.restarts import RestartedCloud

START = 1_900_000_000.0
TRACE = "1-713fb300-{:024x}"


def segment(number: int, **fields: Any) -> dict[str, Any]:
    """The segment of one request; ``number`` makes its ids, and the second at which it starts."""
    usual = {
        "name": "nightjar-texts",
        "id": f"{number:016x}",
        "trace_id": TRACE.format(number),
        "start_time": START + number,
        "end_time": START + number + 0.25,
        "annotations": {"request_id": f"r-{number}"},
        "http": {"request": {"method": "POST", "url": "/predict"}, "response": {"status": 200}},
    }
    return {name: value for name, value in {**usual, **fields}.items() if value is not None}


def put(xray: Any, *segments: dict[str, Any] | str) -> list[dict[str, Any]]:
    documents = [one if isinstance(one, str) else json.dumps(one) for one in segments]
    unprocessed: list[dict[str, Any]] = xray.put_trace_segments(TraceSegmentDocuments=documents)[
        "UnprocessedTraceSegments"
    ]
    return unprocessed


def found(xray: Any, first: int, last: int, expression: str = "") -> list[str]:
    """The ids of the traces that start from second ``first`` to ``last``."""
    wanted = {"FilterExpression": expression} if expression else {}
    answer = xray.get_trace_summaries(StartTime=START + first, EndTime=START + last, **wanted)
    return [summary["Id"] for summary in answer["TraceSummaries"]]


@pytest.fixture(scope="module")
def xray(cloud: Cloud) -> Any:
    return cloud.client("xray")


@pytest.mark.stack
def test_a_trace_comes_back_as_it_was_put(xray: Any) -> None:
    one, part = segment(1), segment(2, trace_id=TRACE.format(1), parent_id=f"{1:016x}", name="engine")
    assert put(xray, one, part) == []
    answer = xray.batch_get_traces(TraceIds=[TRACE.format(1), TRACE.format(99)])
    assert answer["UnprocessedTraceIds"] == [TRACE.format(99)]
    (trace,) = answer["Traces"]
    assert [json.loads(document["Document"]) for document in trace["Segments"]] == [one, part]
    assert trace["Duration"] == 1.25
    (summary,) = xray.get_trace_summaries(StartTime=START + 1, EndTime=START + 1)["TraceSummaries"]
    assert (summary["Duration"], summary["ResponseTime"], summary["IsPartial"]) == (1.25, 0.25, False)
    assert summary["Http"] == {"HttpURL": "/predict", "HttpMethod": "POST", "HttpStatus": 200}
    assert (summary["EntryPoint"]["Name"], len(summary["ServiceIds"])) == ("nightjar-texts", 2)


@pytest.mark.stack
def test_traces_are_found_by_time_and_filter(xray: Any) -> None:
    failed = {"http": {"response": {"status": 503}}, "fault": True}
    put(xray, segment(11), segment(12, **failed), segment(13, name="nightjar-other"))
    assert found(xray, 11, 13) == [TRACE.format(number) for number in (13, 12, 11)]
    assert found(xray, 11, 12) == [TRACE.format(number) for number in (12, 11)]
    assert found(xray, 11, 13, 'annotation.request_id = "r-11"') == [TRACE.format(11)]
    assert found(xray, 11, 13, 'service("nightjar-texts") AND fault') == [TRACE.format(12)]
    assert found(xray, 11, 13, "http.status = 503") == [TRACE.format(12)]
    assert found(xray, 11, 13, 'annotation[request_id] = "a AND b"') == []
    with pytest.raises(ClientError, match="does not evaluate 'responsetime > 5'"):
        found(xray, 11, 13, "ok AND responsetime > 5")
    with pytest.raises(ClientError, match="1 to 5 items"):
        xray.batch_get_traces(TraceIds=[TRACE.format(number) for number in range(6)])


@pytest.mark.stack
def test_a_complete_segment_replaces_the_one_in_progress(xray: Any) -> None:
    put(xray, segment(21, end_time=None, in_progress=True))
    (summary,) = xray.get_trace_summaries(StartTime=START + 21, EndTime=START + 21)["TraceSummaries"]
    assert summary["IsPartial"]
    put(xray, segment(21))
    (trace,) = xray.batch_get_traces(TraceIds=[TRACE.format(21)])["Traces"]
    assert [json.loads(one["Document"]) for one in trace["Segments"]] == [segment(21)]


@pytest.mark.stack
def test_what_is_no_segment_is_named_and_the_rest_is_kept(xray: Any) -> None:
    bad: list[dict[str, Any] | str] = [
        "{",
        "[]",
        segment(31, name=None),
        segment(31, id="31"),
        segment(31, trace_id="1-2-3"),
        segment(31, start_time="now"),
        segment(31, end_time=None),
        segment(31, annotations={"large": "x" * 70_000}),
    ]
    unprocessed = put(xray, *bad, segment(32))
    codes = [one["ErrorCode"] for one in unprocessed]
    assert codes == ["ParseError"] * 2 + ["InvalidSegment"] * 5 + ["DocumentTooLarge"]
    assert "end_time" in unprocessed[6]["Message"] and unprocessed[6]["Id"] == f"{31:016x}"
    assert found(xray, 31, 32) == [TRACE.format(32)]


@pytest.mark.stack
def test_a_role_needs_the_permission(cloud: Cloud, xray: Any) -> None:
    keys = assume(cloud, make_role(cloud, "reader-of-traces", allow("xray:BatchGetTraces")))
    of_role = cloud.client("xray", **keys)
    with pytest.raises(ClientError, match="not authorized to perform: xray:PutTraceSegments"):
        put(of_role, segment(41))
    assert of_role.batch_get_traces(TraceIds=[TRACE.format(41)])["Traces"] == []
    assert found(xray, 41, 41) == []
    delete_role(cloud, "reader-of-traces")


@pytest.mark.stack
def test_traces_survive_a_kill(tmp_path: Path) -> None:
    with RestartedCloud(tmp_path) as server:
        cloud = server.cloud
        put(cloud.client("xray"), segment(51), segment(52))
        cloud = server.restart(signal.SIGKILL)
        assert found(cloud.client("xray"), 51, 52) == [TRACE.format(52), TRACE.format(51)]


def test_the_oldest_traces_go_when_there_are_too_many() -> None:
    kept: traces_of.Traces = {}
    documents = [json.dumps(segment(number)) for number in range(traces_of.KEPT_TRACES + 2)]
    assert traces_of.put(kept, documents) == []
    assert len(kept) == traces_of.KEPT_TRACES and TRACE.format(1) not in kept and TRACE.format(2) in kept
