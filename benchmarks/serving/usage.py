"""CPU seconds and memory (proportional set size) of a process tree. Linux only (/proc)."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

from benchmarks.memory import rollup_bytes

_TICKS = os.sysconf("SC_CLK_TCK")
# Fields 14 to 17 of /proc/<pid>/stat (proc(5)): utime, stime, cutime, cstime, counted from the end of the command.
_TIMES = slice(11, 15)


def tree(pid: int) -> list[int]:
    """``pid`` and all its live descendants."""
    try:
        return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    except psutil.NoSuchProcess:
        return []


def cpu_seconds(pid: int) -> float:
    """User and system time of the tree, including children that have ended and were waited for. Resolution: 10 ms."""
    return sum(_ticks(one) for one in tree(pid)) / _TICKS


def pss_bytes(pid: int) -> int:
    """Sum of the tree's proportional set sizes: a page that N processes share counts once."""
    total = 0
    for one in tree(pid):
        try:
            total += rollup_bytes(Path(f"/proc/{one}/smaps_rollup").read_text())
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total


def _ticks(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(map(int, text.rpartition(")")[2].split()[_TIMES]))
