"""Every request as one JSON line in ``<state>/requests.jsonl``: the source for checking least privilege."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from infra.localcloud.authorization.record import RECORD_KEY, Record
from infra.localcloud.request import ENVIRON_KEY, identify


class RequestLog:
    """WSGI middleware that identifies each request and records it.

    A line has the time, role, service, action, resource and status, and what ``Authorization`` decided: the IAM actions
    with their resources, the decision, and the policies and statements that decided.
    """

    def __init__(self, application: WSGIApplication, file: Path) -> None:
        self._application = application
        self._lock = threading.Lock()
        file.parent.mkdir(parents=True, exist_ok=True)
        self._file = file.open("a", encoding="utf-8", buffering=1)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answers one request, and records it with its status."""
        request = environ[ENVIRON_KEY] = identify(environ)
        authorised = environ[RECORD_KEY] = Record()
        time = datetime.now(UTC).isoformat(timespec="milliseconds")

        def record(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Any:
            line = {
                "time": time,
                "role": authorised.caller,
                "service": request.service,
                "action": request.action,
                "resource": request.resource,
                "status": int(status.split(None, 1)[0]),
                **authorised.described(),
            }
            with self._lock:
                self._file.write(json.dumps(line) + "\n")
            return start_response(status, headers)

        return self._application(environ, record)
