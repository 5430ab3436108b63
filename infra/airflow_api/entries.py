"""Texts of task instances and of log entries, as the REST API returns them."""

from __future__ import annotations

from typing import Any


def label(task: dict[str, Any]) -> str:
    """The id of a task instance; a mapped one has its index behind it."""
    return task["task_id"] if task["map_index"] < 0 else f"{task['task_id']}[{task['map_index']}]"


def log_lines(entry: Any) -> list[str]:
    """Formats one structured log entry: level, event, and the traceback if there is one."""
    if not isinstance(entry, dict):
        return [str(entry)]
    if str(entry.get("event", "")).startswith("::"):  # group markers of the UI
        return []
    reason = f" {entry['reason']}" if entry.get("reason") else ""
    lines = [f"[{entry.get('level', 'info')}] {entry.get('event', '')}{reason}"]
    for error in entry.get("error_detail") or ():
        lines += [f"    {frame['filename']}:{frame['lineno']} in {frame['name']}" for frame in error.get("frames", ())]
        lines.append(f"    {error.get('exc_type')}: {error.get('exc_value')}")
    return lines
