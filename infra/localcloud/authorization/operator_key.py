"""The operator's access key: made at the server's first start, kept in ``<state>/operator.json``.

Requests signed with it are exempt from policies. Everyone else is judged.
"""

from __future__ import annotations

import json
import os
import secrets
import string
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "operator.json"
_ALPHABET = string.ascii_uppercase + "234567"


@dataclass(frozen=True)
class OperatorKey:
    """The operator's access key."""

    access_key_id: str
    secret_access_key: str


def load_or_create(state: Path) -> OperatorKey:
    """Reads the key of a state folder; makes it first if there is none. The file is readable by its owner only."""
    file = state / FILE
    if not file.exists():
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        suffix = "".join(secrets.choice(_ALPHABET) for _ in range(12))
        key = OperatorKey(f"AKIAOPER{suffix}", secrets.token_urlsafe(30))
        partial = file.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as sink:
            json.dump(asdict(key), sink)
            sink.flush()
            os.fsync(sink.fileno())
        partial.replace(file)
    values = json.loads(file.read_text())
    return OperatorKey(values["access_key_id"], values["secret_access_key"])
