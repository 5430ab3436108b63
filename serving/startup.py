"""What answers while the bundle is loaded, or when it could not be: ``/health`` is alive, all else is not ready and says why."""

from __future__ import annotations

import json
import os
import re
import uuid

from starlette.types import Receive, Scope, Send

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class WaitingRoom:
    """ASGI. The reason is what the parent last wrote into the pipe ``news``."""

    def __init__(self, news: int) -> None:
        os.set_blocking(news, False)
        self._news = news
        self._reason = "the bundle is being loaded"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise NotImplementedError(scope["type"])
        self._listen()
        request_id = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
        if not _ID.fullmatch(request_id):
            request_id = uuid.uuid4().hex
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
            # The next request shall reach a process that serves.
            (b"connection", b"close"),
        ]
        if status == 503:
            headers.append((b"retry-after", b"1"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _listen(self) -> None:
        try:
            text = os.read(self._news, 65_536)
        except BlockingIOError:
            return
        if text:
            self._reason = text.decode()
