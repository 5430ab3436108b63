"""Processes that outlive the command that started them: start, look, wait, stop.

A process is known by its pid *and* its start time, so a pid that the system has given to somebody else is never stopped.
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
class Record:
    """What is written down about a started process; ``created`` is its start time in seconds since the epoch."""

    name: str
    pid: int
    created: float
    log: str
    stop_signal: int
    digest: str


class Supervisor:
    """The processes of one run folder: ``pids/<name>.json`` and ``logs/<name>.log`` below it."""

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
    ) -> Record:
        """Starts ``argv`` in a session of its own, unless it runs already. ``digest`` says what it was started with."""
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
        record = Record(name, process.pid, created, str(log), int(stop_signal), digest)
        partial = self.pids / f"{name}.json.partial"
        partial.write_text(json.dumps(asdict(record)))
        Path(partial).replace(self.pids / f"{name}.json")
        return record

    def find(self, name: str) -> Record | None:
        """The record of ``name`` if that very process still runs."""
        try:
            record = Record(**json.loads((self.pids / f"{name}.json").read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None
        return record if alive(record) else None

    def running(self) -> list[Record]:
        """Every process of this run folder that runs, oldest first."""
        names = [path.stem for path in self.pids.glob("*.json")] if self.pids.is_dir() else []
        records = [record for name in names if (record := self.find(name))]
        return sorted(records, key=lambda record: record.created)

    def stop(self, *names: str, timeout: float = 30.0) -> list[str]:
        """Stops the processes, side by side, and all that came from them; the names of those that ran."""
        records = [record for name in names if (record := self.find(name))]
        leaders, family = [], []
        for record in records:
            with contextlib.suppress(psutil.NoSuchProcess):
                leader = psutil.Process(record.pid)
                family += leader.children(recursive=True)
                leader.send_signal(record.stop_signal)
                leaders.append(leader)
        _, left = psutil.wait_procs(leaders, timeout=timeout)
        for process in [*left, *family]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()  # psutil compares start times itself: a reused pid raises NoSuchProcess
        psutil.wait_procs([*left, *family], timeout=5)
        for name in names:
            (self.pids / f"{name}.json").unlink(missing_ok=True)
        return [record.name for record in records]

    def wait_ready(self, name: str, probe: Callable[[], bool], timeout: float, what: str) -> None:
        """Waits until ``probe()``; raises :class:`LaptopError` with the log's tail when the process ends or time runs out."""
        deadline = time.monotonic() + timeout
        while not probe():
            if self.find(name) is None:
                raise LaptopError(f"{what} ended while it started.\n{self.tail(name)}")
            if time.monotonic() > deadline:
                raise LaptopError(f"{what} was not ready after {timeout:.0f} s.\n{self.tail(name)}")
            time.sleep(0.1)

    def tail(self, name: str, lines: int = TAIL_LINES) -> str:
        """The end of a process's log, under its path."""
        return tail(self.logs / f"{name}.log", lines)


def tail(path: Path, lines: int = TAIL_LINES) -> str:
    """The last lines of a file, under its path."""
    if not path.is_file():
        return f"(no log at {path})"
    with path.open("rb") as source:
        source.seek(max(0, path.stat().st_size - 64 * 1024))
        text = source.read().decode("utf-8", "replace").splitlines()[-lines:]
    return f"--- {path}\n" + "\n".join(text)


def alive(record: Record) -> bool:
    """Whether the recorded process itself runs: the same pid with the same start time, and no zombie."""
    try:
        process = psutil.Process(record.pid)
        return abs(process.create_time() - record.created) < 0.01 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
