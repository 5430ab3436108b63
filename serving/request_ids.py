"""Request ids: those that callers send in the header ``x-request-id``, and new ones."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from itertools import count

_VALID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


def valid_request_id(header: bytes) -> str:
    """Returns the caller's request id; empty if there is none, or if it may not be repeated in logs and headers."""
    return header.decode() if _VALID.fullmatch(header) else ""


def new_request_ids() -> Callable[[], str]:
    """Makes unique ids without a system call per request: a random prefix for each maker, then a number."""
    prefix, numbers = os.urandom(8).hex(), count(1)
    return lambda: f"{prefix}{next(numbers):016x}"
