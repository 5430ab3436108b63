"""The processes of a run folder, which outlive the command that started them: start, find, wait, stop.

``pids/<name>.spec.json`` says what shall run. The supervisor (:mod:`infra.laptop.supervisor`) starts it, restarts it
when it dies, and writes what runs to ``pids/<name>.json``. A process is identified by its pid and its start
time, so another process that got the same pid later is never stopped.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Literal

import psutil

from infra.laptop import family, supervisor_code
from infra.laptop.config import ROOT, LaptopError

TAIL_LINES = 25
SPEC = ".spec.json"
SUPERVISOR = "supervisor"
_START_SECONDS = 120.0  # where a zygote is still importing, it takes some
_NOTIFY_SECONDS = 2.0
KILL_SOON_SECONDS = 3.0
# A process of many threads else has a heap of glibc's for each, and gives little of it back.
FEW_HEAPS = {"MALLOC_ARENA_MAX": "2", "MALLOC_TRIM_THRESHOLD_": "131072"}
STEADY_SECONDS = 120.0  # a death after a longer life begins a new row of deaths

State = Literal["running", "restarting", "failed"]


@dataclass(frozen=True)
class ProcessSpec:
    """A process that shall run.

    Attributes:
        digest: Identifies the configuration that the process is started with.
        zygote: The name of the process that forks it, if that runs; else it is started afresh.
        is_zygote: Whether it is one that forks others (:mod:`infra.laptop.starts`).
        id: Identifies this start.
    """

    name: str
    argv: list[str]
    env: dict[str, str]
    cwd: str
    user: str | None
    stop_signal: int
    digest: str
    zygote: str = ""
    is_zygote: bool = False
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass(frozen=True)
class ProcessRecord:
    """What the supervisor has written about a process.

    Attributes:
        created: Start time in seconds since the epoch.
        digest: Identifies the configuration that the process was started with; of the supervisor, its code.
        spec: The id of its specification.
        state: ``restarting``: it died and is started again soon; ``failed``: it died too often.
        restarts: How often it was started again.
        deaths: How often it died in the present row.
        exit_code: The exit code of its last death; negative for a signal.
        detail: Why it could not be started, or what happens next.
    """

    name: str
    pid: int
    created: float
    log: str
    stop_signal: int
    digest: str
    spec: str = ""
    state: State = "running"
    restarts: int = 0
    deaths: int = 0
    exit_code: int | None = None
    detail: str = ""


class Supervisor:
    """The processes of one run folder, which contains ``pids/`` and ``logs/<name>.log`` of each."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.pids = state / "pids"
        self.logs = state / "logs"
        self._guard: subprocess.Popen[bytes] | None = None

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
        zygote: str = "",
        is_zygote: bool = False,
    ) -> ProcessRecord:
        """Starts ``argv`` in its own session, unless a process of this name runs, and returns its record.

        ``digest`` identifies the configuration and is kept in the record. ``zygote`` and ``is_zygote`` are those of
        :class:`ProcessSpec`.

        Raises:
            LaptopError: It cannot be started.
        """
        command = [str(part) for part in argv]
        spec = ProcessSpec(name, command, dict(env), str(cwd), user, int(stop_signal), digest, zygote, is_zygote)
        return self.find(name) or self.launch(spec)

    def launch(self, spec: ProcessSpec) -> ProcessRecord:
        """Starts a process that does not run, and returns its record.

        Raises:
            LaptopError: It cannot be started.
        """
        name = spec.name
        self.pids.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(self.pids / f"{name}{SPEC}", asdict(spec))
        deadline, notify_at = time.monotonic() + _START_SECONDS, 0.0
        while (record := self.record(name)) is None or record.spec != spec.id:
            if time.monotonic() > deadline:
                raise LaptopError(f"The supervisor did not start {name}. Its log:\n{self.tail(SUPERVISOR)}")
            if time.monotonic() > notify_at:  # again, because a supervisor that was just ending has not read it
                self._notify_supervisor()
                notify_at = time.monotonic() + _NOTIFY_SECONDS
            time.sleep(0.02)
        if record.state == "failed":
            raise LaptopError(f"{name} cannot be started: {record.detail}")
        return record

    def specification(self, name: str) -> ProcessSpec | None:
        """What shall run under this name, as a new start; None when nothing shall run."""
        try:
            spec = ProcessSpec(**json.loads((self.pids / f"{name}{SPEC}").read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None
        return replace(spec, id=uuid.uuid4().hex)

    def record(self, name: str) -> ProcessRecord | None:
        """The newest record of the process, whether it runs or not."""
        return _read_record(self.pids / f"{name}.json")

    def find(self, name: str) -> ProcessRecord | None:
        """The record of the process, or None when it does not run."""
        record = self.record(name)
        return record if record and alive(record) else None

    def records(self) -> list[ProcessRecord]:
        """The records of all processes that shall run or still do."""
        return [record for name in self.names() if (record := self.record(name))]

    def names(self) -> list[str]:
        """The names of all processes that shall run or still do, also of those that no supervisor has started."""
        paths = self.pids.glob("*.json") if self.pids.is_dir() else []
        return sorted({path.name.removesuffix(SPEC).removesuffix(".json") for path in paths})

    def running(self) -> list[ProcessRecord]:
        """The processes of this run folder that run, oldest first."""
        return sorted((record for record in self.records() if alive(record)), key=lambda record: record.created)

    def supervisor(self) -> ProcessRecord | None:
        """The record of the supervisor itself, None when it does not run."""
        record = _read_record(self.state / f"{SUPERVISOR}.json")
        return record if record and alive(record) else None

    def has_other_code(self) -> bool:
        """Whether a supervisor runs that is of another version of the project, so that it may misread this one."""
        record = self.supervisor()
        return record is not None and record.digest != supervisor_code.digest()

    def stop(self, *names: str, timeout: float = 30.0, kill_soon: Collection[str] = ()) -> list[str]:
        """Stops the processes in parallel, together with their descendants. The supervisor does not restart them.

        A process that still runs ``timeout`` seconds after its stop signal is killed. When nothing is to run any more,
        the supervisor ends too, and everything that is left of this run folder is killed.

        Args:
            names: The processes.
            timeout: Seconds.
            kill_soon: Those of them that have only :data:`KILL_SOON_SECONDS`.

        Returns:
            The names of the processes that ran.
        """
        for name in names:
            (self.pids / f"{name}{SPEC}").unlink(missing_ok=True)
        records = [record for name in names if (record := self.find(name))]
        self.end(records, timeout, kill_soon)
        for name in names:
            (self.pids / f"{name}.json").unlink(missing_ok=True)
        if not self.pids.is_dir() or not any(self.pids.glob(f"*{SPEC}")):
            self._end_supervisor()
        return [record.name for record in records]

    def stop_unsupervised(self) -> list[str]:
        """Stops what a killed supervisor has left, so that a start finds nothing that is ending.

        Does nothing while a supervisor runs. Returns the names of the processes that ran.
        """
        return self.stop(*self.names()) if self.supervisor() is None else []

    def end(self, records: Collection[ProcessRecord], timeout: float, kill_soon: Collection[str] = ()) -> None:
        """Ends processes in parallel, together with their descendants; the arguments are those of :meth:`stop`."""
        leaders: list[psutil.Process] = []
        hurried: list[psutil.Process] = []
        offspring: list[psutil.Process] = []
        for record in records:
            with contextlib.suppress(psutil.NoSuchProcess):
                leader = psutil.Process(record.pid)
                offspring += leader.children(recursive=True)
                leader.send_signal(record.stop_signal)
                leaders.append(leader)
                if record.name in kill_soon:
                    hurried.append(leader)
        for leader in psutil.wait_procs(hurried, timeout=KILL_SOON_SECONDS)[1]:
            with contextlib.suppress(psutil.NoSuchProcess):
                leader.kill()
        _, left = psutil.wait_procs(leaders, timeout=timeout)
        family.kill([*left, *offspring])

    def wait_ready(
        self, names: Collection[str], missing: Callable[[], Collection[str]], timeout: float, what: str
    ) -> None:
        """Waits until nothing is missing.

        Args:
            names: The processes that ``what`` consists of. The wait ends when one of them dies, restarted or not.
            missing: Returns the names of those that are not ready.
            timeout: Seconds.
            what: What becomes ready, for the error.

        Raises:
            LaptopError: A process died, or was not ready in time. The text has the end of its log.
        """
        deadline = time.monotonic() + timeout
        before = {name: record.restarts if (record := self.record(name)) else 0 for name in names}
        while late := missing():
            for name in names:
                record = self.find(name)
                if record is None or record.restarts > before[name]:
                    code = getattr(self.record(name), "exit_code", None)
                    died = f"{name} died with exit code {code}" if code is not None else f"{name} ended"
                    raise LaptopError(f"{died} while {what} started. Its log:\n{self.tail(name)}")
            if time.monotonic() > deadline:
                logs = "\n".join(self.tail(name) for name in late)
                raise LaptopError(
                    f"{what} was not ready after {timeout:.0f} s: {', '.join(late)} did not answer. The log:\n{logs}"
                )
            time.sleep(0.1)

    def tail(self, name: str, lines: int = TAIL_LINES) -> str:
        """The path of the process's log, then its last lines."""
        return tail(self.logs / f"{name}.log", lines)

    def _notify_supervisor(self) -> None:
        """Makes the supervisor read the specifications; starts it if it does not run."""
        record = self.supervisor()
        if record is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(record.pid, signal.SIGHUP)
                return
        if self._guard and self._guard.poll() is None:
            return  # it is starting a supervisor, or ending what a killed one has left
        path = self.logs / f"{SUPERVISOR}.log"
        path.touch(mode=0o600)
        with path.open("ab") as log:
            keep = ("PATH", "HOME", "LANG", "TMPDIR")
            self._guard = subprocess.Popen(
                [sys.executable, "-m", "infra.laptop.guard", str(self.state)],
                cwd=ROOT,
                env={name: os.environ[name] for name in keep if name in os.environ},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _end_supervisor(self) -> None:
        record = self.supervisor()
        left = family.members(self.state, [record.pid] if record else [])
        if record is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                supervisor = psutil.Process(record.pid)
                supervisor.terminate()
                psutil.wait_procs([supervisor], timeout=10)
        family.kill(left)
        family.kill(family.members(self.state))
        (self.state / f"{SUPERVISOR}.json").unlink(missing_ok=True)
        (self.state / family.SESSIONS).unlink(missing_ok=True)


def _read_record(file: Path) -> ProcessRecord | None:
    """The record in a file. What another version has added to it is left out: its process must still be found."""
    known = {one.name for one in fields(ProcessRecord)}
    try:
        document = json.loads(file.read_text())
        return ProcessRecord(**{name: value for name, value in document.items() if name in known})
    except (FileNotFoundError, ValueError, TypeError):
        return None


def write_private(file: Path, value: object) -> None:
    """Replaces the file's content by JSON, which only the owner can read. A reader never sees half of it."""
    partial = file.with_name(f"{file.name}.{os.getpid()}.partial")
    partial.touch(mode=0o600)
    partial.write_text(json.dumps(value))
    partial.replace(file)


def tail(path: Path, lines: int = TAIL_LINES) -> str:
    """The path of a file, then its last lines."""
    if not path.is_file():
        return f"(there is no log at {path})"
    return f"--- {path}\n" + "\n".join(last_lines(path, lines))


def last_lines(path: Path, lines: int) -> list[str]:
    """The last lines of a text file."""
    with path.open("rb") as source:
        source.seek(max(0, path.stat().st_size - 64 * 1024))
        return source.read().decode("utf-8", "replace").splitlines()[-lines:]


def alive(record: ProcessRecord) -> bool:
    """Whether the recorded process runs: the same pid with the same start time, and not a zombie."""
    try:
        process = psutil.Process(record.pid)
        return abs(process.create_time() - record.created) < 0.01 and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.NoSuchProcess, ValueError):
        return False
