"""Unix time of ``time.perf_counter()`` readings, and timestamps that cost little."""

from __future__ import annotations

import time
from collections.abc import Sequence

_MILLISECONDS = tuple(f".{number:03d}Z" for number in range(1000))
# Second and its text, replaced as one object: several threads use it.
_cached = (0, "")


def offset() -> float:
    """Returns the seconds to add to a ``perf_counter`` reading to get Unix time.

    Call it again from time to time, because the wall clock is adjusted.
    """
    return time.time() - time.perf_counter()


def timestamp(seconds: float) -> str:
    """Formats Unix time as ISO 8601 UTC with milliseconds and ``Z``. The text of the second is cached."""
    whole = int(seconds)
    return _second(whole) + _MILLISECONDS[int((seconds - whole) * 1000)]


def timestamps(times: Sequence[float]) -> list[str]:
    """Formats several times as :func:`timestamp` does. It costs less if they are of one second."""
    whole = int(min(times))
    if int(max(times)) != whole:
        return [timestamp(seconds) for seconds in times]
    prefix = _second(whole)
    return [prefix + _MILLISECONDS[int((seconds - whole) * 1000)] for seconds in times]


def _second(whole: int) -> str:
    global _cached
    second, prefix = _cached
    if whole != second:
        prefix = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))
        _cached = (whole, prefix)
    return prefix
