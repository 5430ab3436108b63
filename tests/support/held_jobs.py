"""Jobs of a running stack that are held before they do anything: small jobs would end before a test can act."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_LOOK_SECONDS = 0.05
# A younger process is left alone: the local cloud may wait for a word of it, and holds a lock meanwhile.
_YOUNG_SECONDS = 0.3


@contextmanager
def held_jobs(state: Path, which: str) -> Iterator[None]:
    """Holds the jobs of a kind that start meanwhile (SIGSTOP); those that are left go on at the end.

    Args:
        state: The local cloud's state folder.
        which: ``training`` or ``processing`` of SageMaker; else the name of a Glue script.
    """
    seen, held, over = dict[int, float](), set[int](), threading.Event()

    def hold() -> None:
        while not over.wait(_LOOK_SECONDS):
            for pid in _jobs(state, which):
                if time.monotonic() - seen.setdefault(pid, time.monotonic()) > _YOUNG_SECONDS and pid not in held:
                    held.add(pid)
                    _signal(pid, signal.SIGSTOP)

    thread = threading.Thread(target=hold, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        for pid in held.intersection(_jobs(state, which)):
            _signal(pid, signal.SIGCONT)


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _jobs(state: Path, which: str) -> Iterator[int]:
    """The processes of jobs: one of Glue works in the folder with its script, one of SageMaker has its own mounted."""
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with suppress(OSError):
                folder = (process / "cwd").readlink()
                is_glue = folder.parent == state / "glue" and (folder / which).exists()
                if is_glue or _has_mounted(process, f"{state}/sagemaker/{which}/"):
                    yield int(process.name)


def _has_mounted(process: Path, folders: str) -> bool:
    """Whether a process has one of the folders mounted. The source is relative to its file system's root."""
    for line in (process / "mountinfo").read_text().splitlines():
        source, found, _ = line.split()[3].rpartition("/")
        if found and len(source) > 1 and folders.endswith(f"{source}/"):
            return True
    return False
