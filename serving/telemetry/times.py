"""Wall-clock time of ``time.perf_counter()`` readings, and time stamps that cost little."""

from __future__ import annotations

import time

_kept = (0, "")  # in one piece: several threads ask


def offset() -> float:
    """Seconds to add to a ``perf_counter`` reading to get Unix time. Asked again now and then: the wall clock is adjusted."""
    return time.time() - time.perf_counter()


def stamp(seconds: float) -> str:
    """Unix time as ISO 8601 UTC in milliseconds, with ``Z``. The part down to the second is kept from call to call."""
    global _kept
    whole = int(seconds)
    second, prefix = _kept
    if whole != second:
        prefix = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))
        _kept = (whole, prefix)
    return f"{prefix}.{int((seconds - whole) * 1000):03d}Z"
