"""What Linux does for parents and children through prctl. On other systems these functions do nothing."""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable
from typing import Any

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def _find_prctl() -> Callable[..., Any] | None:
    try:
        return ctypes.CDLL(None).prctl
    except AttributeError:
        return None


_prctl = _find_prctl()


def adopt_orphans() -> None:
    """Makes every descendant whose parent dies a child of this process."""
    if _prctl:
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with(parent: int, number: int) -> None:
    """Has the system send signal ``number`` to this process when its parent, whose pid is given, dies."""
    if _prctl:
        _prctl(_PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
