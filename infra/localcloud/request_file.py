"""The file ``<state>/requests.jsonl``: one JSON line for each request, the source for checking least privilege.

It rotates: the newest 128 MiB are kept, some 350,000 requests.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra.localcloud.request_record import Record
from infra.localcloud.rotation import MIB, RotatingFile, read_lines

NAME = "requests.jsonl"
FILE_BYTES, OLDER_FILES = 16 * MIB, 7


class RequestFile:
    """Appends lines to the file; threads may share it."""

    def __init__(self, file: Path) -> None:
        self._lock = threading.Lock()
        self._file = RotatingFile(file, FILE_BYTES, OLDER_FILES)

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
            self._file.write(json.dumps(line).encode() + b"\n")


def now() -> str:
    """The time of a line."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def read(state: Path) -> Iterator[dict[str, Any]]:
    """Reads the recorded requests that are kept, oldest first; a line that a kill has torn is left out.

    Args:
        state: The state folder.

    Raises:
        FileNotFoundError: Nothing was recorded there.
    """
    for line in read_lines(state / NAME):
        try:
            yield json.loads(line)
        except ValueError:
            continue
