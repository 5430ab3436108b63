"""The outermost ASGI layer: request id, internal routes, API keys, telemetry, and JSON even for an internal error."""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus
from typing import NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving import validation
from serving.errors import HttpError
from serving.fast_path import Answer, FastPath
from serving.logs import request_id as current_request_id
from serving.request_ids import new_request_ids, valid_request_id
from serving.routes import ROUTES, Route, is_public
from serving.state import State
from serving.telemetry import Finished

log = logging.getLogger(__name__)

FastHandler = Callable[[bytes, str], Awaitable[Answer]]
ImmediateHandler = Callable[[bytes, str], bytes | None]


class _Target(NamedTuple):
    """The route of a path.

    Attributes:
        label: The route in logs and metrics.
        public: Whether the public port answers it.
        quiet: Whether it is left out of the access log.
        scores: Whether it makes predictions.
        keyed: The HTTP method that needs an API key; empty if none does.
        method: The HTTP method of the prediction.
        fast: Answers that method instead of FastAPI.
        now: Is asked before ``fast``, and answers at once or not at all.
    """

    label: str
    public: bool
    quiet: bool = False
    scores: bool = False
    keyed: str = ""
    method: str = ""
    fast: FastHandler | None = None
    now: ImmediateHandler = lambda body, request_id: None


class ServiceMiddleware:
    """Wraps the FastAPI application.

    Args:
        state: The worker's state.
        app: The FastAPI application. Prediction routes do not reach it.
        use_fast_path: Whether the fast path answers predictions. Tests switch it off to compare the reference with it.
    """

    def __init__(self, state: State, app: ASGIApp, *, use_fast_path: bool = True) -> None:
        self._app = app
        self._api_keys = state.api_keys
        self._internal_port = state.settings.internal_port
        self._max_body_bytes, self._deadlines = state.settings.max_body_bytes, state.deadlines
        self._telemetry = state.telemetry
        self._new_id = new_request_ids()
        fast_path = FastPath(state) if use_fast_path else None
        self._targets = {route.path: _target(route, fast_path) for route in ROUTES}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request, and reports it to telemetry."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        given, key, trace, length = _read_headers(scope)
        request_id = valid_request_id(given) or self._new_id()
        current_request_id.set(request_id)
        reply = _Reply(send, request_id)
        method, path = scope["method"], scope["path"]
        target = self._targets.get(path) or _Target("other", public=is_public(path))
        caller, answer = "", _NO_ANSWER
        try:
            if not target.public:
                self._require_internal_port(scope)
            if method == target.keyed:
                caller = self._admit(key)
            if target.fast is not None and method == target.method:
                body = await validation.read_body(scope["headers"], receive, self._max_body_bytes, self._deadlines)
                content = target.now(body, request_id)
                answer = await target.fast(body, request_id) if content is None else Answer(content)
                await reply.json(200, answer.body)
            else:
                await self._app(scope, receive, reply)
        except HttpError as error:
            await reply.error(error)
        except Exception:
            log.exception("Internal error while a request was answered")
            if reply.status == 0:
                await reply.error(HttpError(500, "internal error; the service's log has it under this request id"))
        self._telemetry.finished(
            Finished(
                method=method,
                route=target.label,
                path=path,
                status=reply.status,
                started=started,
                ended=time.perf_counter(),
                request_id=request_id,
                caller=caller,
                trace_header=trace,
                bytes_in=int(length) if length.strip().isdigit() else 0,
                bytes_out=reply.bytes_out,
                warnings=answer.warnings,
                cache=answer.cache,
                refusal=reply.reason,
                quiet=target.quiet,
                scores=target.scores,
            )
        )

    def _require_internal_port(self, scope: Scope) -> None:
        if self._internal_port is not None and scope["server"][1] != self._internal_port:
            raise HttpError(404, "Not Found")

    def _admit(self, key: bytes) -> str:
        """Returns the caller's name; empty where no keys are configured."""
        if self._api_keys is None:
            return ""
        caller = self._api_keys.identify(key or None)
        if caller is None:
            raise HttpError(401, "send a valid key in the header x-api-key", headers={"www-authenticate": "ApiKey"})
        wait = caller.admit(time.monotonic())
        if wait > 0:
            headers = {"retry-after": str(math.ceil(wait))}
            raise HttpError(429, f"the rate limit of {caller.name} is reached; retry in {wait:.1f} s", headers=headers)
        return caller.name


class _Reply:
    """Sends an answer and remembers what was sent. FastAPI calls it in place of ``send``."""

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

    async def error(self, error: HttpError) -> None:
        self.reason = HTTPStatus(error.status).name.lower()
        body = json.dumps(error.body() | {"request_id": self._id}, ensure_ascii=False, separators=(",", ":"))
        await self.json(error.status, body.encode("utf-8", "backslashreplace"), error.headers)


def _target(route: Route, fast_path: FastPath | None) -> _Target:
    method = route.methods[0]
    target = _Target(route.path, route.public, route.quiet, keyed=method if route.keyed else "")
    if route.fast is None:
        return target
    target = target._replace(scores=True, method=method)
    if fast_path is None:
        return target
    target = target._replace(fast=partial(route.fast, fast_path))
    return target if route.now is None else target._replace(now=partial(route.now, fast_path))


def _read_headers(scope: Scope) -> tuple[bytes, bytes, bytes, bytes]:
    """Returns request id, API key, trace and declared length; each is empty if the request does not have it."""
    request_id = key = trace = length = b""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            request_id = value
        elif name == b"x-api-key":
            key = value
        elif name == b"x-amzn-trace-id":
            trace = value
        elif name == b"content-length":
            length = value
    return request_id, key, trace, length


_NO_ANSWER = Answer(b"")
