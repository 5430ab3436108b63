"""Which requests reach AWS's part of the endpoint at all: the Host and Origin headers, and moto's own routes.

A web page that the operator visits can send requests to loopback, and a name that its owner points to 127.0.0.1 makes
them look same-origin (DNS rebinding). So only names of this machine are served, and nothing that a page sends.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

# moto's admin API and its imitation of the instance metadata service.
CLOSED = re.compile(r"/+(moto-api|latest/meta-data|latest/api|favicon\.ico|_shutdown)(/|$|\.)", re.IGNORECASE)
_LABELS = r"([a-z0-9_]([a-z0-9_.-]{0,200}[a-z0-9])?\.)?"


class Doors:
    """WSGI middleware that refuses foreign Host and Origin headers and moto's own routes, before anything else.

    Args:
        application: The application behind it.
        host: The configured address.
        port: The configured port.
    """

    def __init__(self, application: WSGIApplication, host: str, port: int) -> None:
        self._application = application
        address = f"[{host}]" if ":" in host else host
        names = "|".join(re.escape(name) for name in {"[::1]", address})
        # Some services put a label before the host (MWAA "env.", S3 Control the account). No domain ends in ".1".
        self._host = re.compile(rf"({names}|{_LABELS}(localhost|127\.0\.0\.1))(:{port})?", re.IGNORECASE)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answers one request."""
        if not self._host.fullmatch(environ.get("HTTP_HOST", "")):
            return _refuse(start_response, "403 Forbidden", "The Host header names no host of this endpoint")
        if not _own_origin(environ):
            return _refuse(start_response, "403 Forbidden", "Requests of web pages are not served")
        if CLOSED.match(environ.get("PATH_INFO", "")):
            return _refuse(start_response, "404 Not Found", "There is no such resource")
        return self._application(environ, start_response)


def _own_origin(environ: WSGIEnvironment) -> bool:
    """Whether no foreign web page sent the request. Browsers add Origin to what a page may send without asking."""
    origin = environ.get("HTTP_ORIGIN")
    if origin is None:
        return environ.get("HTTP_SEC_FETCH_SITE", "none") in ("none", "same-origin")
    parts = urlsplit(origin)
    return parts.scheme in ("http", "https") and parts.netloc.lower() == environ["HTTP_HOST"].lower()


def _refuse(start_response: StartResponse, status: str, message: str) -> Iterable[bytes]:
    body = json.dumps({"__type": "AccessDeniedException", "message": message}).encode()
    start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
