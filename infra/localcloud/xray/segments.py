"""Segment documents: what X-Ray accepts, and what a trace's summary says of them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from infra.localcloud.actions import Members

DOCUMENT_BYTES = 64_000
_ID = re.compile(r"[0-9a-f]{16}", re.IGNORECASE)
_TRACE_ID = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}", re.IGNORECASE)

Segment = Mapping[str, Any]


class UnprocessedError(Exception):
    """A document that X-Ray does not take. Its members are those of ``UnprocessedTraceSegments``."""

    def __init__(self, code: str, message: str, segment_id: object = None) -> None:
        super().__init__(message)
        self.members: Members = {"ErrorCode": code, "Message": message}
        if isinstance(segment_id, str):
            self.members["Id"] = segment_id


def parse(document: str) -> Segment:
    """Reads a document.

    Raises:
        UnprocessedError: It is not a segment, lacks a required field, or is too large.
    """
    if len(document.encode()) > DOCUMENT_BYTES:
        raise UnprocessedError("DocumentTooLarge", f"A segment document has at most {DOCUMENT_BYTES} bytes")
    try:
        segment = json.loads(document)
    except ValueError:
        raise UnprocessedError("ParseError", "The document is not JSON") from None
    if not isinstance(segment, dict):
        raise UnprocessedError("ParseError", "The document is not a JSON object")
    for field in _wrong_fields(segment):
        raise UnprocessedError("InvalidSegment", f"The field {field} is missing or wrong", segment.get("id"))
    return segment


def _wrong_fields(segment: Segment) -> list[str]:
    right = {
        "name": isinstance(segment.get("name"), str) and 0 < len(segment["name"]) <= 200,
        "id": bool(_ID.fullmatch(str(segment.get("id")))),
        "trace_id": bool(_TRACE_ID.fullmatch(str(segment.get("trace_id")))),
        "start_time": _is_number(segment.get("start_time")),
        "end_time": _is_number(segment.get("end_time"))
        or (segment.get("in_progress") is True and "end_time" not in segment),
        "annotations": isinstance(segment.get("annotations", {}), dict),
        "http": _is_http(segment.get("http", {})),
    }
    return [field for field, is_right in right.items() if not is_right]


def _is_http(http: object) -> bool:
    return isinstance(http, dict) and all(isinstance(http.get(part, {}), dict) for part in ("request", "response"))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def duration(segments: list[Segment]) -> float:
    """Seconds from the start of the first segment to the end of the last that is complete."""
    start = min(segment["start_time"] for segment in segments)
    ends = [segment["end_time"] for segment in segments if "end_time" in segment]
    return round(max(ends, default=start) - start, 3)


def summary(trace_id: str, segments: list[Segment], account: str) -> Members:
    """A trace as GetTraceSummaries has it."""
    first = min(segments, key=lambda segment: segment["start_time"])
    root = next((segment for segment in segments if "parent_id" not in segment), first)
    response_time = duration([root])
    http = root.get("http") or {}
    request, response = http.get("request") or {}, http.get("response") or {}
    of_http = {
        "HttpURL": request.get("url"),
        "HttpMethod": request.get("method"),
        "UserAgent": request.get("user_agent"),
        "ClientIp": request.get("client_ip"),
        "HttpStatus": response.get("status"),
    }
    return {
        "Id": trace_id,
        "StartTime": first["start_time"],
        "Duration": duration(segments),
        "ResponseTime": response_time,
        "HasFault": any(segment.get("fault") is True for segment in segments),
        "HasError": any(segment.get("error") is True for segment in segments),
        "HasThrottle": any(segment.get("throttle") is True for segment in segments),
        "IsPartial": any("end_time" not in segment for segment in segments),
        "Http": {name: value for name, value in of_http.items() if value is not None},
        "Annotations": _annotations(segments, account),
        "Users": [],
        "ServiceIds": [_service(name, account) for name in sorted({segment["name"] for segment in segments})],
        "EntryPoint": _service(root["name"], account),
    }


def _annotations(segments: list[Segment], account: str) -> Members:
    found: dict[str, list[Members]] = {}
    for segment in segments:
        for name, value in (segment.get("annotations") or {}).items():
            kind = "BooleanValue" if isinstance(value, bool) else "NumberValue" if _is_number(value) else "StringValue"
            services = [_service(segment["name"], account)]
            found.setdefault(name, []).append({"AnnotationValue": {kind: value}, "ServiceIds": services})
    return found


def _service(name: str, account: str) -> Members:
    return {"Name": name, "Names": [name], "AccountId": account}
