"""The page at ``/``: three static files, read once. It asks the service's own routes and nothing else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path

from fastapi import FastAPI, Request, Response

FILES = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
}
HEADERS = {
    # Scripts, styles and requests of this origin only, so that even text that got into the markup could load and send nothing.
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    # Asked for again each time and answered 304: a page never runs with the script of another release.
    "cache-control": "no-cache",
}


def add_routes(app: FastAPI) -> None:
    """Adds ``/``, ``/page.css`` and ``/page.js``, which are not part of the API and not in its description."""
    for path, (name, media_type) in FILES.items():
        content = (Path(__file__).parent / name).read_bytes()
        app.add_api_route(path, _static(content, media_type), methods=["GET"], include_in_schema=False, name=name)


def _static(content: bytes, media_type: str) -> Callable[[Request], Awaitable[Response]]:
    tag = f'"{sha256(content).hexdigest()[:32]}"'
    headers = {**HEADERS, "etag": tag}

    async def answer(request: Request) -> Response:
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(content, headers={**headers, "content-type": media_type})

    return answer
