"""Request ids that callers send in the header ``x-request-id``."""

from __future__ import annotations

import re

_VALID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


def valid_request_id(header: bytes) -> str:
    """Returns the caller's request id; empty if there is none, or if it may not be repeated in logs and headers."""
    return header.decode() if _VALID.fullmatch(header) else ""
