"""The pages at ``/`` and ``/docs``: static files, read once. They request only the service's own routes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path

from fastapi import Request, Response

HEADERS = {
    # Only scripts, styles and requests of this origin, so that text that got into the markup can neither load nor send.
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    # Requested again each time and answered 304, so that a page never runs with the script of another release.
    "cache-control": "no-cache",
}
MEDIA_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}


def static(name: str) -> Callable[[Request], Awaitable[Response]]:
    """Returns the handler of one file of this folder."""
    path = Path(__file__).with_name(name)
    content = path.read_bytes()
    tag = f'"{sha256(content).hexdigest()[:32]}"'
    headers = {**HEADERS, "etag": tag}
    media_type = f"{MEDIA_TYPES[path.suffix]}; charset=utf-8"

    async def answer(request: Request) -> Response:
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(content, headers={**headers, "content-type": media_type})

    return answer
