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
    """Returns the line of a request that was answered at this Unix time. Empty fields are left out."""
    return _lines([request], [timestamp(ended)])


def lines(requests: Sequence[Finished], offset: float) -> bytes:
    """Returns the lines of several requests, which costs less than one by one.

    Args:
        requests: The answered requests.
        offset: Seconds to add to their times to get Unix time.
    """
    return _lines(requests, timestamps([one.ended + offset for one in requests]))


def _lines(requests: Sequence[Finished], times: Sequence[str]) -> bytes:
    return _encoder.encode_lines(
        [
            _Line(
                when,
                one.request_id,
                one.method,
                one.path[:PATH_CHARACTERS],
                one.status,
                int((one.ended - one.started) * 1e6 + 0.5) / 1000,
                one.bytes_in,
                one.bytes_out,
                "INFO" if one.status < 500 else "ERROR",
                "serving.access",
                "request",
                one.cache,
                one.caller,
                trace_id(one.trace_header) if one.trace_header else "",
                one.refusal,
                one.warnings,
            )
            for one, when in zip(requests, times, strict=True)
        ]
    )


def trace_id(header: bytes) -> str:
    """Returns the X-Ray trace id of an ``x-amzn-trace-id`` header, or an empty text."""
    at = header.find(b"Root=")
    return header[at + 5 : at + 5 + _TRACE_BYTES].decode("latin-1") if at >= 0 else ""
