"""Processes that outlive the command that started them: start, find, wait, stop.

A process is identified by its pid and its start time, so another process that got the same pid later is never stopped.
"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from infra.laptop.config import LaptopError

TAIL_LINES = 25


@dataclass(frozen=True)
class ProcessRecord:
    """What the pid file contains about a started process.

    Attributes:
        created: Start time in seconds since the epoch.
        digest: Identifies the configuration that the process was started with.
    """

    name: str
    pid: int
    created: float
    log: str
    stop_signal: int
    digest: str


class Supervisor:
    """The processes of one run folder, which contains ``pids/<name>.json`` and ``logs/<name>.log`` of each."""

    def __init__(self, state: Path) -> None:
        self.pids = state / "pids"
        self.logs = state / "logs"

    def start(
        self,
        name: str,
        argv: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        cwd: Path,
        user: str | None = None,
        stop_signal: int = signal.SIGTERM,
        digest: str = "",
    ) -> ProcessRecord:
        """Starts ``argv`` in its own session, unless a process of this name runs, and returns its record.

        ``digest`` identifies the configuration and is kept in the record.
        """
        running = self.find(name)
        if running:
            return running
        self.pids.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(parents=True, exist_ok=True)
        log = self.logs / f"{name}.log"
        with log.open("ab") as sink:
            process = subprocess.Popen(
                [str(part) for part in argv],
                env=dict(env),
                cwd=cwd,
                user=user,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        created = psutil.Process(process.pid).create_time()
        record = ProcessRecord(name, process.pid, created, str(log), int(stop_signal), digest)
        partial = self.pids / f"{name}.json.partial"
        partial.write_text(json.dumps(asdict(record)))
        Path(partial).replace(self.pids / f"{name}.json")
        return record

    def find(self, name: str) -> ProcessRecord | None:
        """The record of the process, or None when it does not run."""
        try:
            record = ProcessRecord(**json.loads((self.pids / f"{name}.json").read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None
        return record if alive(record) else None

    def running(self) -> list[ProcessRecord]:
        """The processes of this run folder that run, oldest first."""
        names = [path.stem for path in self.pids.glob("*.json")] if self.pids.is_dir() else []
        records = [record for name in names if (record := self.find(name))]
        return sorted(records, key=lambda record: record.created)

    def stop(self, *names: str, timeout: float = 30.0) -> list[str]:
        """Stops the processes in parallel, together with their descendants.

        A process that still runs ``timeout`` seconds after its stop signal is killed.

        Returns:
            The names of the processes that ran.
        """
        records = [record for name in names if (record := self.find(name))]
        leaders: list[psutil.Process] = []
        family: list[psutil.Process] = []
        for record in records:
            with contextlib.suppress(psutil.NoSuchProcess):
                leader = psutil.Process(record.pid)
                family += leader.children(recursive=True)
                leader.send_signal(record.stop_signal)
                leaders.append(leader)
        _, left = psutil.wait_procs(leaders, timeout=timeout)
        for process in [*left, *family]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()  # psutil checks the start time: a reused pid raises NoSuchProcess
        psutil.wait_procs([*left, *family], timeout=5)
        for name in names:
            (self.pids / f"{name}.json").unlink(missing_ok=True)
        return [record.name for record in records]

    def wait_ready(self, name: str, probe: Callable[[], bool], timeout: float, what: str) -> None:
        """Waits until ``probe`` returns True.

        Raises:
            LaptopError: The process ended, or was not ready after ``timeout`` seconds. The text has the end of its log.
        """
        deadline = time.monotonic() + timeout
        while not probe():
            if self.find(name) is None:
                raise LaptopError(f"{what} ended while it started. Its log:\n{self.tail(name)}")
            if time.monotonic() > deadline:
                raise LaptopError(f"{what} was not ready after {timeout:.0f} s. Its log:\n{self.tail(name)}")
            time.sleep(0.1)

    def tail(self, name: str, lines: int = TAIL_LINES) -> str:
        """The path of the process's log, then its last lines."""
        return tail(self.logs / f"{name}.log", lines)


def tail(path: Path, lines: int = TAIL_LINES) -> str:
    """The path of a file, then its last lines."""
    if not path.is_file():
        return f"(there is no log at {path})"
    with path.open("rb") as source:
        source.seek(max(0, path.stat().st_size - 64 * 1024))
        text = source.read().decode("utf-8", "replace").splitlines()[-lines:]
    return f"--- {path}\n" + "\n".join(text)


def alive(record: ProcessRecord) -> bool:
    """Whether the recorded process runs: the same pid with the same start time, and not a zombie."""
    try:
        process = psutil.Process(record.pid)
        return abs(process.create_time() - record.created) < 0.01 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
