"""Lines that are written or sent together are cut into parts of a limited size, each of whole lines."""

from __future__ import annotations

from collections.abc import Iterator


def parts(lines: bytes, room: int, size: int) -> Iterator[bytes]:
    """Cuts lines.

    Args:
        lines: The lines. If the last one has no newline, it is a line like the others.
        room: Bytes of the first part, which may be empty.
        size: Bytes of each further part. A line that is longer is a part of its own.
    """
    end = lines.rfind(b"\n", 0, max(room, 0)) + 1
    yield lines[:end]
    while end < len(lines):
        start, end = end, lines.rfind(b"\n", end, end + size) + 1 or lines.find(b"\n", end) + 1 or len(lines)
        yield lines[start:end]
