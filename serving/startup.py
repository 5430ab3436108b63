"""Answers requests while the bundle is loaded: ``/health`` with 200, everything else with 503 and the reason."""

from __future__ import annotations

import json
import os
import uuid
from typing import Any

from starlette.types import Receive, Scope, Send

from serving.request_ids import valid_request_id


class StartupApp:
    """ASGI application of the startup process.

    Args:
        updates: File descriptor of a pipe. The supervisor writes into it why the service cannot start.
    """

    def __init__(self, updates: int) -> None:
        os.set_blocking(updates, False)
        self._updates = updates
        self._reason = "the bundle is being loaded"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request."""
        if scope["type"] != "http":
            raise NotImplementedError(scope["type"])
        self._read_update()
        request_id = valid_request_id(dict(scope["headers"]).get(b"x-request-id", b"")) or uuid.uuid4().hex
        answer: dict[str, Any]
        if scope["path"] == "/health":
            status, answer = 200, {"status": "alive"}
        elif scope["path"] == "/ready":
            status, answer = 503, {"ready": False, "reason": self._reason}
        else:
            status, answer = 503, {"error": f"not ready: {self._reason}", "fields": [], "request_id": request_id}
        body = json.dumps(answer).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"x-request-id", request_id.encode()),
            # So that the next request is sent to a worker.
            (b"connection", b"close"),
        ]
        if status == 503:
            headers.append((b"retry-after", b"1"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _read_update(self) -> None:
        try:
            text = os.read(self._updates, 65_536)
        except BlockingIOError:
            return
        if text:
            self._reason = text.decode()
