"""Which drift is confirmed: the newest windows of a source are remembered in the state table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from include.errors import ConflictError
from include.lake import state_keys
from include.pipelines.monitor.thresholds import KEPT_WINDOWS, OF_THEM, WINDOWS
from include.pipelines.protocols import StateStore

Windows = dict[str, dict[str, str]]
"""Name of a window → subject → why it drifted. Names sort as the windows do."""


def confirmed(windows: Mapping[str, Mapping[str, str]], newest: str) -> dict[str, str]:
    """Returns what drifted in a window and in enough of those before it.

    Args:
        windows: The windows; later ones than ``newest`` do not count.
        newest: The name of the window.
    """
    last = sorted(name for name in windows if name <= newest)[-WINDOWS:]
    return {
        subject: reason
        for subject, reason in windows[newest].items()
        if sum(subject in windows[name] for name in last) >= OF_THEM
    }


def remember(workload: str, source: str, window: str, drifted: Mapping[str, str], state: StateStore) -> dict[str, str]:
    """Records what drifted in a window, in place of what was recorded for it; returns what is confirmed.

    Raises:
        ConflictError: Another run recorded a window at the same time.
    """
    key = state_keys.monitor_windows_key(workload, source)
    item = state.get(*key)
    windows: Windows = dict(item["windows"]) if item else {}
    windows[window] = dict(drifted)
    found = confirmed(windows, window)
    kept = dict(sorted(windows.items())[-KEPT_WINDOWS:])
    revision = item["revision"] if item else 0
    entry: dict[str, Any] = {"windows": kept, "revision": revision + 1}
    condition = "#revision = :read" if item else "attribute_not_exists(#revision)"
    if not state.put_if(*key, entry, condition, {":read": revision} if item else None, {"#revision": "revision"}):
        raise ConflictError(f"Another run of {workload}_monitor recorded a window at the same time. Clear the task.")
    return found
