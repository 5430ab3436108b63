"""One command at a time starts or stops the processes of a run folder."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from infra.laptop.config import LaptopConfig, LaptopError

LOCK = "command.lock"
STOPS = ("make stop", "make clean")  # these are waited for
INTERRUPT_SECONDS = 30.0
_PAUSE_SECONDS = 0.05


@contextlib.contextmanager
def exclusively(config: LaptopConfig, command: str) -> Iterator[None]:
    """Holds the run folder's lock while the body runs. The lock ends with the process, however that ends.

    Args:
        config: Names the run folder, which is created.
        command: What the body is called when another command finds the lock taken, such as ``make run``.

    Raises:
        LaptopError: Another command has the lock.
    """
    config.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = _take(config.state / LOCK, command)
    if file is None:
        raise LaptopError(
            f"{_described(_holder(config))} is at work on this stack. `make status` shows its state, and `make stop` "
            "ends it. Run the command again when it has ended."
        )
    with file:
        yield


@contextlib.contextmanager
def interrupting(config: LaptopConfig, command: str) -> Iterator[None]:
    """Like :func:`exclusively`, but interrupts the command that has the lock, unless that stops too, and waits for it.

    A command that does not end in time is killed. Without a run folder there is nothing to lock.
    """
    if not config.state.is_dir():
        yield
        return
    deadline, interrupted = time.monotonic() + INTERRUPT_SECONDS, set[int]()
    while (file := _take(config.state / LOCK, command)) is None:
        holder = _holder(config)
        pid = int(holder.get("pid", 0))
        if pid and pid not in interrupted and holder["command"] not in STOPS:
            print(f"{_described(holder)} is interrupted first", flush=True)
            interrupted.add(pid)
            _signal(pid, signal.SIGINT)
        if pid and time.monotonic() > deadline:
            _signal(pid, signal.SIGKILL)
        time.sleep(_PAUSE_SECONDS)
    with file:
        yield


def _take(path: Path, command: str) -> IO[str] | None:
    """The open and locked file; None when another process has locked it."""
    while True:
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        if _is_at(file, path):
            break
        file.close()  # `make clean` has deleted it meanwhile, and another command may have locked a new one
    since = datetime.now(UTC).isoformat(timespec="seconds")
    file.truncate()
    file.write(json.dumps({"command": command, "pid": os.getpid(), "since": since}))
    file.flush()
    return file


def _is_at(file: IO[str], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _holder(config: LaptopConfig) -> dict[str, Any]:
    """What the process that has the lock wrote; empty in the moment before it writes."""
    try:
        return dict(json.loads((config.state / LOCK).read_text()))
    except (FileNotFoundError, ValueError):
        return {}


def _described(holder: dict[str, Any]) -> str:
    if not holder:
        return "Another command"
    return f"`{holder['command']}` (pid {holder['pid']}, since {holder['since']})"


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
