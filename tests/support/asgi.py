"""Requests to an ASGI application inside the test, without a server."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx

REQUEST_ID = {"x-request-id": "the-same"}


def request(
    app: Any, method: str, path: str, content: bytes = b"", headers: Mapping[str, str] | None = None, port: int = 80
) -> httpx.Response:
    """Sends one request, as if it came through ``port``."""

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://service:{port}") as client:
            return await client.request(method, path, content=content, headers={**(headers or {}), **REQUEST_ID})

    return asyncio.run(send())


def post(app: Any, path: str, content: bytes, headers: Mapping[str, str]) -> httpx.Response:
    """Sends one POST request."""
    return request(app, "POST", path, content, headers)
