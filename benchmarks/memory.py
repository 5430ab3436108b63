"""Memory of the laptop stack: the proportional set size (PSS) of its processes and their descendants. Linux only.

PSS counts a page that N processes share as one Nth for each, so the sum is the memory that the stack takes.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from infra.laptop.processes import Supervisor

GB = 1e9


def rollup_bytes(text: str) -> int:
    """The PSS in bytes in the text of a ``smaps_rollup`` file; 0 if it has none."""
    for line in text.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


@dataclass
class Sample:
    """PSS at one moment.

    Attributes:
        by_name: Bytes of each process of the stack, including its descendants.
        processes: Number of processes that were read.
        unreadable: Number of processes that could not be read and are in no sum.
    """

    by_name: dict[str, int] = field(default_factory=dict)
    processes: int = 0
    unreadable: int = 0

    @property
    def total(self) -> int:
        """Bytes of all processes."""
        return sum(self.by_name.values())


def sample(supervisor: Supervisor) -> Sample:
    """Reads all processes. A process that ends meanwhile counts as zero."""
    found = Sample()
    for record in supervisor.running():
        try:
            leader = psutil.Process(record.pid)
            family = [leader, *leader.children(recursive=True)]
        except psutil.NoSuchProcess:
            continue
        found.by_name[record.name] = 0
        for process in family:
            try:
                text = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
            except PermissionError:
                found.unreadable += 1
                continue
            except (FileNotFoundError, ProcessLookupError):
                continue
            found.processes += 1
            found.by_name[record.name] += rollup_bytes(text)
    return found


class Sampler:
    """A context manager that takes a sample every ``seconds`` in a thread; ``peak`` is the largest."""

    def __init__(self, supervisor: Supervisor, seconds: float = 1.0) -> None:
        self.peak = Sample()
        self.samples = 0
        self._supervisor = supervisor
        self._seconds = seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="memory", daemon=True)

    def __enter__(self) -> Sampler:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def wait(self, seconds: float) -> None:
        """Waits while samples are taken."""
        time.sleep(seconds)

    def _run(self) -> None:
        while not self._ended.wait(self._seconds):
            now = sample(self._supervisor)
            self.samples += 1
            if now.total > self.peak.total:
                self.peak = now
