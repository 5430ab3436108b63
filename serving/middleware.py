"""The outermost ASGI layer: request id, who may call, the internal listener, telemetry, and JSON even for a bug of ours."""

from __future__ import annotations

import json
import logging
import math
import os
import re
import time
from collections.abc import Callable
from http import HTTPStatus
from itertools import count

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.fast_path import Answer, Lane
from serving.logs import request_id as current_request_id
from serving.state import State
from serving.telemetry import Finished
from serving.validation import Refusal

PREDICT = ("/predict", "/predict/batch")
# What tells about the service, and can be kept to the internal listener.
INTERNAL = ("/metrics", "/version", "/golden", "/docs", "/openapi.json", "/", "/page.css", "/page.js")
KNOWN = frozenset((*PREDICT, *INTERNAL, "/health", "/ready"))
_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
log = logging.getLogger("serving.access")


class Front:
    """Wraps the FastAPI application ``app``; the prediction routes go to the lane and never reach it."""

    def __init__(self, state: State, app: ASGIApp) -> None:
        lane = Lane(state)
        self._app = app
        self._lanes = {("POST", "/predict"): lane.predict, ("POST", "/predict/batch"): lane.batch}
        self._callers = state.callers
        self._internal_port = state.settings.internal_port
        self._telemetry = state.telemetry
        self._new_id = _ids()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        given = key = trace = length = b""
        for name, value in scope["headers"]:
            if name == b"x-request-id":
                given = value
            elif name == b"x-api-key":
                key = value
            elif name == b"x-amzn-trace-id":
                trace = value
            elif name == b"content-length":
                length = value
        request_id = given.decode() if given and _ID.fullmatch(given) else self._new_id()
        current_request_id.set(request_id)
        reply = _Reply(send, request_id)
        method, path = scope["method"], scope["path"]
        caller, answer = "", None
        try:
            lane = self._lanes.get((method, path))
            if lane is None:
                self._listener(path, scope)
                await self._app(scope, receive, reply)
            else:
                caller = self._admitted(key)
                answer = await lane(scope, receive, request_id)
                await reply.json(200, answer.body)
        except Refusal as refusal:
            await reply.refuse(refusal)
        except Exception:
            log.exception("A request failed by a bug of the service")
            if reply.status == 0:
                await reply.refuse(Refusal(500, "the service failed; its log has the request id"))
        answer = answer or Answer(b"")
        self._telemetry.finished(
            Finished(
                method=method,
                route=path if path in KNOWN else "other",
                path=path,
                status=reply.status,
                started=started,
                ended=time.perf_counter(),
                request_id=request_id,
                caller=caller,
                trace_header=trace,
                bytes_in=int(length) if length.isdigit() else 0,
                bytes_out=reply.bytes_out,
                warnings=answer.warnings,
                cache=answer.cache,
                refusal=reply.reason,
            )
        )

    def _listener(self, path: str, scope: Scope) -> None:
        if self._internal_port is not None and path in INTERNAL and scope["server"][1] != self._internal_port:
            raise Refusal(404, "Not Found")

    def _admitted(self, key: bytes) -> str:
        """The caller's name; "" where no keys are configured."""
        if self._callers is None:
            return ""
        caller = self._callers.identify(key or None)
        if caller is None:
            raise Refusal(401, "send a valid key in the header x-api-key", headers={"www-authenticate": "ApiKey"})
        wait = caller.admit(time.monotonic())
        if wait > 0:
            headers = {"retry-after": str(math.ceil(wait))}
            raise Refusal(429, f"{caller.name} may send no more requests for {wait:.1f} seconds", headers=headers)
        return caller.name


class _Reply:
    """Sends, and remembers what was sent. Called by FastAPI in place of ``send``."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._id = request_id
        self.status = 0
        self.bytes_out = 0
        self.reason = ""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": [*message["headers"], (b"x-request-id", self._id.encode())]}
        else:
            self.bytes_out += len(message.get("body", b""))
        await self._send(message)

    async def json(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.status, self.bytes_out = status, len(body)
        sent = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"x-request-id", self._id.encode()),
        ]
        if headers:
            sent += [(name.encode(), value.encode()) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": sent})
        await self._send({"type": "http.response.body", "body": body})

    async def refuse(self, refusal: Refusal) -> None:
        self.reason = HTTPStatus(refusal.status).name.lower()
        body = json.dumps(refusal.body() | {"request_id": self._id}, ensure_ascii=False, separators=(",", ":"))
        await self.json(refusal.status, body.encode("utf-8", "backslashreplace"), refusal.headers)


def _ids() -> Callable[[], str]:
    """Unique without a system call a request: random for the process, then a number."""
    prefix, numbers = os.urandom(8).hex(), count(1)
    return lambda: f"{prefix}{next(numbers):016x}"
