"""Every request as one JSON line in ``<state>/requests.jsonl``: what least privilege is measured from."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .identity import Identity
from .request import identify


class Record:
    """WSGI middleware. A line: ``time, role, service, action, resource, status``."""

    def __init__(self, application: Any, identity: Identity, file: Path) -> None:
        self._application = application
        self._identity = identity
        self._lock = threading.Lock()
        file.parent.mkdir(parents=True, exist_ok=True)
        self._file = file.open("a", encoding="utf-8", buffering=1)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        asked = environ["nightjar.asked"] = identify(environ)
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "role": self._identity.role_of(asked.access_key),
            "service": asked.service,
            "action": asked.action,
            "resource": asked.resource,
        }

        def noted(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            line["status"] = int(status.split(None, 1)[0])
            with self._lock:
                self._file.write(json.dumps(line) + "\n")
            return start_response(status, headers)

        return self._application(environ, noted)
