"""Whether processes have ended."""

from __future__ import annotations

import psutil


def has_ended(process: int | psutil.Process) -> bool:
    """Whether a process has ended: it is gone, or a zombie that is not reaped yet. It may go while it is looked at."""
    try:
        found = psutil.Process(process) if isinstance(process, int) else process
        return not found.is_running() or found.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
