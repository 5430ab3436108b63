"""What the processes of this machine use, by process group. Only Linux says it; elsewhere nothing is known."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")


class Usage(NamedTuple):
    """What the processes of a group use.

    Attributes:
        seconds: Seconds of CPU since they were started.
        memory: Bytes of memory that they hold.
        measured: When it was measured, by the monotonic clock.
    """

    seconds: float
    memory: int
    measured: float


def by_group() -> Mapping[int, Usage]:
    """The usage of every process group by its number, which is that of its first process."""
    if not _PROC.is_dir():
        return {}
    now, ticks, page = time.monotonic(), os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
    found: dict[int, Usage] = {}
    for folder in _PROC.iterdir():
        if folder.name.isdigit():
            with suppress(OSError):  # a process that has ended meanwhile
                # After the name in parentheses: state, parent, group, ...; see proc(5).
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                seconds, memory = (int(fields[11]) + int(fields[12])) / ticks, int(fields[21]) * page
                before = found.get(int(fields[2]), Usage(0.0, 0, now))
                found[int(fields[2])] = Usage(before.seconds + seconds, before.memory + memory, now)
    return found
