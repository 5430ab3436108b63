"""Access log: one JSON object per request, except health checks."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from serving.clock import timestamp, timestamps
from serving.telemetry.events import Finished

PATH_CHARACTERS = 200  # keeps a line far below the size that a pipe takes in one piece
_TRACE_BYTES = 35  # 1-<8 digits>-<24 digits>


class _Line(msgspec.Struct, omit_defaults=True, gc=False):
    time: str
    request_id: str
    method: str
    path: str
    status: int
    milliseconds: float
    bytes_in: int
    bytes_out: int
    level: str
    logger: str
    message: str
    cache: str = ""
    caller: str = ""
    trace_id: str = ""
    refusal: str = ""
    warnings: int = 0


_encoder = msgspec.json.Encoder()


def line(request: Finished, ended: float) -> bytes:
    """Returns the request's line. Empty fields are left out.

    Args:
        request: The answered request.
        ended: Unix time of the answer.
    """
    return _encoder.encode(_line(request, timestamp(ended))) + b"\n"


def lines(requests: Sequence[Finished], offset: float) -> bytes:
    """Returns the lines of several requests, which costs less than one by one.

    Args:
        requests: The answered requests.
        offset: Seconds to add to their times to get Unix time.
    """
    ended = timestamps([one.ended + offset for one in requests])
    return _encoder.encode_lines(list(map(_line, requests, ended)))


def _line(request: Finished, ended: str) -> _Line:
    return _Line(
        ended,
        request.request_id,
        request.method,
        request.path[:PATH_CHARACTERS],
        request.status,
        int((request.ended - request.started) * 1e6 + 0.5) / 1000,
        request.bytes_in,
        request.bytes_out,
        "INFO" if request.status < 500 else "ERROR",
        "serving.access",
        "request",
        request.cache,
        request.caller,
        trace_id(request.trace_header) if request.trace_header else "",
        request.refusal,
        request.warnings,
    )


def trace_id(header: bytes) -> str:
    """Returns the X-Ray trace id of an ``x-amzn-trace-id`` header, or an empty text."""
    at = header.find(b"Root=")
    return header[at + 5 : at + 5 + _TRACE_BYTES].decode("latin-1") if at >= 0 else ""
