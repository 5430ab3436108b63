"""The health check: which background threads and child processes work."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from infra.localcloud import mounts
from infra.localcloud.background import Background
from infra.localcloud.config import Config

HEALTH = "/_nightjar/health"


class HealthCheck:
    """WSGI middleware that answers the health check and passes everything else on.

    The answer is 503 when a background thread or child process is dead, stuck or failing; ``wrong`` names it.
    """

    def __init__(self, application: WSGIApplication, config: Config, background: Background) -> None:
        self._application = application
        self._background = background
        reason = "the configuration says `mounts: false`" if not config.mounts else mounts.refusal()
        self._facts = {
            "pid": os.getpid(),
            "endpoint": config.endpoint,
            "opt_ml": "a mount" if reason is None else f"the variable ML_ROOT ({reason})",
        }

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answers one request."""
        if environ.get("PATH_INFO") != HEALTH:
            return self._application(environ, start_response)
        parts = self._background.status()
        wrong = [
            f"{part.name} is {part.state}: {part.detail or ''}".rstrip(": ") for part in parts if part.state != "ok"
        ]
        content = {
            "status": "failing" if wrong else "ok",
            **self._facts,
            "wrong": wrong,
            "parts": [part.as_dict() for part in parts],
        }
        body = json.dumps(content).encode()
        status = "503 Service Unavailable" if wrong else "200 OK"
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]
