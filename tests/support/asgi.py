"""Requests to an ASGI application inside the test: no server, and only packages that the service has too."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

REQUEST_ID = {"x-request-id": "the-same"}


@dataclass(frozen=True)
class Response:
    """A complete response; header names are in lower case."""

    status_code: int
    headers: dict[str, str]
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode()

    def json(self) -> Any:
        return json.loads(self.content)


async def send(
    app: Any,
    method: str,
    path: str,
    content: bytes = b"",
    headers: Mapping[str, str] | None = None,
    port: int | None = None,
) -> Response:
    """Sends one request, as if it came through ``port``, and waits for the response."""
    given = {"host": "service", **(headers or {}), **REQUEST_ID}
    if method == "POST":
        given.setdefault("content-length", str(len(content)))
    plain, _, query = path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": plain,
        "raw_path": plain.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in given.items()],
        "server": ("service", port),
        "client": ("127.0.0.1", 123),
    }
    messages: list[dict[str, Any]] = []
    body = [{"type": "http.request", "body": content, "more_body": False}]
    ended = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if body:
            return body.pop()
        await ended.wait()
        return {"type": "http.disconnect"}

    async def collect(message: dict[str, Any]) -> None:
        messages.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            ended.set()

    await app(scope, receive, collect)
    start, *parts = messages
    received = {name.decode().lower(): value.decode() for name, value in start["headers"]}
    return Response(start["status"], received, b"".join(part.get("body", b"") for part in parts))


def request(
    app: Any, method: str, path: str, content: bytes = b"", headers: Mapping[str, str] | None = None, port: int = 80
) -> Response:
    """Sends one request in an event loop of its own."""
    return asyncio.run(send(app, method, path, content, headers, port))


def post(app: Any, path: str, content: bytes, headers: Mapping[str, str]) -> Response:
    """Sends one POST request."""
    return request(app, "POST", path, content, headers)
