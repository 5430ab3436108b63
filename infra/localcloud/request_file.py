"""The file ``<state>/requests.jsonl``: one JSON line for each request, the source for checking least privilege."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from pathlib import Path

from infra.localcloud.request_record import Record


class RequestFile:
    """Appends lines to the file; threads may share it."""

    def __init__(self, file: Path) -> None:
        self._lock = threading.Lock()
        file.parent.mkdir(parents=True, exist_ok=True)
        self._file = file.open("a", encoding="utf-8", buffering=1)

    def write(
        self, record: Record, service: str, action: str, resource: str, status: int, time: str | None = None
    ) -> None:
        """Appends a line.

        Args:
            record: Who asked, and what was decided.
            service: The service's name in IAM policies.
            action: The API action.
            resource: What it is about; may be empty.
            status: The HTTP status of the answer.
            time: When the request came (ISO 8601); None for now.
        """
        line = {
            "time": time or now(),
            "role": record.caller,
            "service": service,
            "action": action,
            "resource": resource,
            "status": status,
            **record.described(),
        }
        with self._lock:
            self._file.write(json.dumps(line) + "\n")


def now() -> str:
    """The time of a line."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
