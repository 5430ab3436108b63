"""The requests of a shadow job: a bounded sample of what the live version has answered, from the prediction log.

The log is read line by line, however large it is. The sample is random but repeatable: the lines with the smallest
digests. So a line that was delivered twice counts once.
"""

from __future__ import annotations

import hashlib
import heapq
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from include.model.shadow import LogRead


class LoggedRequest(NamedTuple):
    """A request that the live version has answered.

    Attributes:
        record: What the caller gave, cleaned. A field that is null was not given, or given as null: it is left out.
        probability: The answer.
        prediction: Its label.
        time: When it was answered.
    """

    record: dict[str, Any]
    probability: float
    prediction: int
    time: str


def sample(folder: Path, live_digest: str, limit: int) -> tuple[list[LoggedRequest], LogRead]:
    """Reads the log.

    Args:
        folder: The log's files, JSON lines, at any depth.
        live_digest: The bundle of the live version; other versions' answers are left out.
        limit: How many requests are taken at most.

    Returns:
        The requests in the order of their times, and what was read.
    """
    marker = live_digest.encode()
    kept: list[tuple[int, bytes]] = []  # a heap of the smallest digests, negative, so that the largest is on top
    digests: set[int] = set()
    lines = answered = 0
    for line in _lines(folder):
        lines += 1
        if marker not in line:
            continue
        answered += 1
        digest = -int.from_bytes(hashlib.sha256(line).digest()[:12])
        if digest in digests or (len(kept) == limit and digest <= kept[0][0]):
            continue
        digests.add(digest)
        if len(kept) < limit:
            heapq.heappush(kept, (digest, line))
        else:
            digests.discard(heapq.heapreplace(kept, (digest, line))[0])
    parsed = [_parsed(line, live_digest) for _, line in kept]
    requests = sorted(filter(None, parsed), key=lambda request: request.time)
    return requests, {
        "lines": lines,
        "answered": answered,
        "unreadable": parsed.count(None),
        "first": requests[0].time if requests else "",
        "last": requests[-1].time if requests else "",
    }


def _lines(folder: Path) -> Iterator[bytes]:
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            for line in file:
                if stripped := line.strip():
                    yield stripped


def _parsed(line: bytes, live_digest: str) -> LoggedRequest | None:
    try:
        entry = json.loads(line)
        if entry["bundle_digest"] != live_digest:
            return None
        record = {name: value for name, value in entry["features"].items() if value is not None}
        return LoggedRequest(record, float(entry["probability"]), int(entry["prediction"]), str(entry["time"]))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
