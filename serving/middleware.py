"""The outermost ASGI layer: a request id, an access line, and an answer in JSON even to a bug of ours."""

from __future__ import annotations

import json
import logging
import re
import time
import uuid

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.logs import request_id

_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_QUIET = ("/health", "/ready")
log = logging.getLogger("serving.access")


class RequestLog:
    """Takes ``x-request-id`` from the caller when it is a sane one, else makes one; answers with it and logs it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"x-request-id", b"")
        request_id.set(given.decode() if _ID.fullmatch(given) else uuid.uuid4().hex)
        started = time.monotonic()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message["headers"], (b"x-request-id", request_id.get().encode())]}
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception:
            log.exception("A request failed by a bug of the service")
            if status == 0:
                await _answer_500(send_with_id)
        if scope["path"] not in _QUIET:
            data = {"method": scope["method"], "path": scope["path"], "status": status}
            log.info("request", extra={"data": {**data, "milliseconds": round((time.monotonic() - started) * 1000, 2)}})


async def _answer_500(send: Send) -> None:
    body = json.dumps({"error": "the service failed; its log has the request id", "request_id": request_id.get()}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    await send({"type": "http.response.body", "body": body})
