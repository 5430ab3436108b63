"""Refuses requests that a web page in the user's browser makes to the laptop's Airflow, in which everyone is an admin.

A page whose name resolves to 127.0.0.1 (DNS rebinding) sends its own name as Host. A form or script of another page
sends its Origin, or says ``Sec-Fetch-Site: cross-site``.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

NAMES = ("127.0.0.1", "localhost", "[::1]")


class OriginCheck:
    """ASGI middleware.

    Args:
        app: The application behind it.
        port: The port on which Airflow serves.
    """

    def __init__(self, app: App, port: int) -> None:
        self._app = app
        self._hosts = {f"{name}:{port}" for name in NAMES}
        self._origins = {f"http://{host}" for host in self._hosts}

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answers a refused request, and passes others on."""
        reason = self._reason(scope) if scope["type"] in ("http", "websocket") else None
        if reason is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": reason})
        else:
            body = json.dumps({"detail": reason}).encode()
            headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": body})

    def _reason(self, scope: Message) -> str | None:
        """Why the request is refused; None when it is not."""
        headers: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
        hosts = headers.get("host", [])
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return f"The Host header must be one of {', '.join(sorted(self._hosts))}."
        for origin in headers.get("origin", []):
            if origin.lower() not in self._origins:
                return "A page of another origin made this request."
        is_navigation = scope.get("method") in ("GET", "HEAD") and headers.get("sec-fetch-mode") == ["navigate"]
        if "cross-site" in headers.get("sec-fetch-site", []) and not is_navigation:
            return "A page of another site made this request."
        return None
