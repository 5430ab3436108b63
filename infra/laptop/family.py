"""Finds every process that belongs to a run folder, also when the process that started it is dead.

A process belongs to it when a recorded process is its ancestor, when it is in the session of a recorded process, or
when its environment has the marker. Sessions are needed because programs that set their title overwrite the
environment that the system shows; the marker is needed because jobs have sessions of their own.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

import psutil

MARKER = "LAPTOP_STACK"  # the local cloud passes it on to its jobs (infra/localcloud/jobs.py)
SESSIONS = "sessions.jsonl"


def remember_session(state: Path, pid: int, created: float) -> None:
    """Appends a started session leader to the run folder's list."""
    with (state / SESSIONS).open("a") as file:
        file.write(json.dumps({"pid": pid, "created": created}) + "\n")


def members(state: Path, leaders: Iterable[int] = ()) -> list[psutil.Process]:
    """All processes of a run folder that run, without this process and its ancestors.

    Args:
        state: The run folder.
        leaders: Pids of processes that belong to it with all their descendants.
    """
    own = {process.pid for process in (psutil.Process(), *psutil.Process().parents())}
    sessions = _sessions(state)
    roots = set(leaders)
    found: dict[int, psutil.Process] = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid in roots or _in_session(process, sessions) or _has_marker(process, state):
                found[process.pid] = process
                found |= {child.pid: child for child in process.children(recursive=True)}
    return [process for pid, process in found.items() if pid not in own and _runs(process)]


def kill(processes: Iterable[psutil.Process], seconds: float = 5.0) -> list[psutil.Process]:
    """Kills the processes and waits for their end; returns those that still run.

    A pid that another process got meanwhile is not killed: psutil compares start times.
    """
    listed = list(processes)
    for process in listed:
        with contextlib.suppress(psutil.Error):
            process.kill()
    return psutil.wait_procs(listed, timeout=seconds)[1]


def _runs(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _sessions(state: Path) -> dict[int, float]:
    """Start time of each recorded session leader by its pid; the newest counts."""
    try:
        lines = (state / SESSIONS).read_text().splitlines()
    except FileNotFoundError:
        return {}
    records = (json.loads(line) for line in lines)
    return {record["pid"]: record["created"] for record in records}


def _in_session(process: psutil.Process, sessions: dict[int, float]) -> bool:
    leader = os.getsid(process.pid)
    if leader not in sessions:
        return False
    created = sessions[leader]
    if process.pid == leader:  # another process may have got the pid of a leader that ended
        return abs(process.create_time() - created) < 0.01
    with contextlib.suppress(psutil.NoSuchProcess):
        return abs(psutil.Process(leader).create_time() - created) < 0.01
    return process.create_time() >= created - 0.01


def _has_marker(process: psutil.Process, state: Path) -> bool:
    return process.environ().get(MARKER) == str(state)
