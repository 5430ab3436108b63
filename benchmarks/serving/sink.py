"""The telemetry sink: receives traces (OTLP over HTTP) and predictions (Firehose), and has a secret with an API key.

    python -m benchmarks.serving.sink PORT

It answers as the real services do and only counts. GET returns the counts: {"traces": …, "predictions": …, "secrets":
…}.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import sys
from collections import Counter
from typing import cast

import uvloop

API_KEY = "bench-serving-key-that-opens-nothing"
SECRET = "bench/api-keys"
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)", re.IGNORECASE)
_DATA = re.compile(rb'"Data": ?"([^"]+)"')
_TARGET = re.compile(rb"\r\nx-amz-target:[ \t]*(\S+)", re.IGNORECASE)


class Sink(asyncio.Protocol):
    """One keep-alive connection."""

    def __init__(self, counts: Counter[str]) -> None:
        self.counts = counts
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head = self.buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        top = self.buffer[:head]
        if b"100-continue" in top and len(self.buffer) == head + 4:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        length = _LENGTH.search(top)
        end = head + 4 + (int(length[1]) if length else 0)
        if len(self.buffer) < end:
            return
        body, self.buffer = self.buffer[head + 4 : end], self.buffer[end:]
        answer = self.answer(top, body)
        self.transport.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: %d\r\n\r\n%s"
            % (len(answer), answer)
        )

    def answer(self, head: bytes, body: bytes) -> bytes:
        """Counts a request and returns the body of its answer."""
        target = _TARGET.search(head)
        if head.startswith(b"GET "):
            return json.dumps(self.counts).encode()
        if target is None:
            self.counts["traces"] += 1
            return b""
        if b"secretsmanager" in target[1].lower():
            self.counts["secrets"] += 1
            return json.dumps({"Name": SECRET, "VersionId": "1" * 36, "SecretString": secret()}).encode()
        records = _DATA.findall(body)
        # A record has many lines, each a prediction.
        self.counts["predictions"] += sum(base64.b64decode(record).count(b"\n") for record in records)
        return b'{"FailedPutCount":0,"Encrypted":false,"RequestResponses":[%s]}' % b",".join(
            [b'{"RecordId":"1"}'] * len(records)
        )


def secret() -> str:
    """The secret with the API keys: one caller, practically without a limit."""
    caller = {
        "name": "bench",
        "keys_sha256": [hashlib.sha256(API_KEY.encode()).hexdigest()],
        "per_second": 1e6,
        "burst": 1e6,
    }
    return json.dumps({"callers": [caller]})


async def main(port: int) -> None:
    """Serves until the process is ended."""
    counts: Counter[str] = Counter(traces=0, predictions=0, secrets=0)
    server = await asyncio.get_running_loop().create_server(lambda: Sink(counts), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
