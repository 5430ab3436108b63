"""``python -m infra.laptop.supervisor STATE``: starts the specified processes and restarts those that die.

What they print goes through the supervisor into rotating log files. It waits longer before each restart of a process
that dies again and again, and gives up at last. What a dead process
leaves behind is killed: on Linux it becomes a child of the supervisor. When the supervisor itself dies, its processes
get their stop signals from the system, and the guard (:mod:`infra.laptop.guard`), which starts the supervisor, ends
what is left. The supervisor ends when nothing is specified any more, or on SIGTERM.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import psutil

from infra.laptop import family, supervisor_code
from infra.laptop.output_pipes import OutputPipes
from infra.laptop.processes import SPEC, STEADY_SECONDS, SUPERVISOR, ProcessRecord, ProcessSpec, write_private
from infra.laptop.starts import Process, Starts
from infra.localcloud import linux

FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 0.5, 30.0
MAX_DEATHS = 6  # in a row; a process that ran long enough begins a new row
END_SECONDS = 20.0
ORPHAN_SECONDS = 30.0  # how often orphans are looked for when no process has died


@dataclass
class Child:
    """A specified process. ``output`` is the read end of the pipe into which it prints."""

    spec: ProcessSpec
    record: ProcessRecord
    process: Process | None = None
    output: int = -1
    start_at: float = field(default_factory=time.monotonic)

    @property
    def failed(self) -> bool:
        """Whether it is not started any more."""
        return self.record.state == "failed"


class Daemon:
    """The supervisor of one run folder."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._pids = state / "pids"
        self._children: dict[str, Child] = {}
        self._output = OutputPipes()
        self._starts = Starts(state, self._output.copy)
        self._ending = False

    def run(self) -> None:
        """Supervises until nothing is specified, or until SIGTERM."""
        linux.adopt_orphans()
        reader = self._wake_on_signals()
        family.kill(family.members(self._state))  # left by a supervisor and a guard that were killed
        me = psutil.Process()
        log = str(self._state / "logs" / f"{SUPERVISOR}.log")
        record = ProcessRecord(SUPERVISOR, me.pid, me.create_time(), log, int(signal.SIGTERM), supervisor_code.digest())
        write_private(self._state / f"{SUPERVISOR}.json", asdict(record))
        look_at = 0.0
        while not self._ending:
            # Not after each printed line: a look reads every process of the machine.
            if time.monotonic() >= look_at:
                self._reap()
                self._follow_specs()
                if not self._children:
                    break
                look_at = min([*self._starts_due(), time.monotonic() + ORPHAN_SECONDS])
            others = [reader, *self._starts.importing()]
            if ready := self._output.copy(max(0.0, look_at - time.monotonic()), *others):
                look_at = 0.0
            if reader in ready:
                os.read(reader, 4096)
        self._end_all()

    def _starts_due(self) -> list[float]:
        return [self._due(child) for child in self._children.values() if child.process is None and not child.failed]

    def _due(self, child: Child) -> float:
        return max(child.start_at, self._starts.waits_until(child.spec))

    def _wake_on_signals(self) -> int:
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGHUP, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        return reader

    def _end(self, number: int, frame: FrameType | None) -> None:
        self._ending = True

    # --- what shall run ---

    def _follow_specs(self) -> None:
        self._starts.look()
        specs = {path.name.removesuffix(SPEC): spec for path in self._pids.glob(f"*{SPEC}") if (spec := _read(path))}
        for name in [name for name in self._children if name not in specs]:
            # `make stop` ends the process itself; it is only not restarted.
            if self._children[name].process is None:
                del self._children[name]
        for name, spec in sorted(specs.items(), key=lambda item: not item[1].is_zygote):
            child = self._children.get(name)
            if child is None or (child.spec.id != spec.id and child.process is None):
                log = str(self._state / "logs" / f"{name}.log")
                child = self._children[name] = Child(
                    spec, ProcessRecord(name, 0, 0.0, log, spec.stop_signal, spec.digest)
                )
            if child.process is None and not child.failed and time.monotonic() >= self._due(child):
                self._start(child)

    def _start(self, child: Child) -> None:
        spec, log = child.spec, child.record.log
        try:
            child.output, sink = self._output.open(Path(log))
            with os.fdopen(sink, "wb") as stdout:
                child.process = self._starts.start(spec, stdout.fileno())
            created = psutil.Process(child.process.pid).create_time()
        except (OSError, KeyError, subprocess.SubprocessError, psutil.Error) as error:
            child.process = None
            child.record = replace(
                child.record, spec=spec.id, state="failed", detail=f"{type(error).__name__}: {error}"
            )
            self._write(child)
            return
        family.remember_session(self._state, child.process.pid, created)
        child.record = replace(
            child.record, pid=child.process.pid, created=created, spec=spec.id, state="running", detail=""
        )
        self._write(child)

    # --- what has ended ---

    def _reap(self) -> None:
        """Collects all children that have ended, and kills what they left behind."""
        by_pid = {child.process.pid: child for child in self._children.values() if child.process}
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            if child := by_pid.get(pid):
                self._ended(child, os.waitstatus_to_exitcode(status))
        self._kill_orphans()

    def _ended(self, child: Child, code: int) -> None:
        if isinstance(child.process, subprocess.Popen):
            child.process.returncode = code  # collected here, so that Popen does not wait for it
        child.process = None
        self._starts.forget(child.spec.name)
        self._output.drain(child.output)  # who reads of the death finds its reason in the log
        if not (self._pids / f"{child.spec.name}{SPEC}").exists():
            return
        ran = time.time() - child.record.created
        deaths = 1 if ran >= STEADY_SECONDS else child.record.deaths + 1
        child.record, pause = after_death(child.record, deaths, code)
        child.start_at = time.monotonic() + pause
        _log(f"{child.spec.name} ended with exit code {code} after {ran:.0f} s; it {child.record.detail}")
        self._write(child)

    def _kill_orphans(self) -> None:
        """Kills children that nobody specified: their parents are dead."""
        known = {child.process.pid for child in self._children.values() if child.process}
        for process in psutil.Process().children():
            with contextlib.suppress(psutil.Error):
                if process.pid not in known and process.status() != psutil.STATUS_ZOMBIE:
                    _log(f"killing what a dead process left: {process.pid} {process.name()}")
                    family.kill([*process.children(recursive=True), process], seconds=0)

    def _end_all(self) -> None:
        children = [child for child in self._children.values() if child.process]
        for child in children:
            if child.process:
                child.process.send_signal(child.spec.stop_signal)
        listed = [psutil.Process(child.process.pid) for child in children if child.process]
        deadline = time.monotonic() + END_SECONDS
        while psutil.wait_procs(listed, timeout=0)[1] and time.monotonic() < deadline:
            self._output.copy(0.05)  # a process cannot end while it waits for room in its pipe
        family.kill(psutil.Process().children(recursive=True))
        self._output.copy(0)

    def _write(self, child: Child) -> None:
        write_private(self._pids / f"{child.spec.name}.json", asdict(child.record))


def after_death(record: ProcessRecord, deaths: int, code: int) -> tuple[ProcessRecord, float]:
    """What becomes of a process that has died.

    Args:
        record: Its record.
        deaths: How often it died in a row, this time included.
        code: Its exit code.

    Returns:
        The new record, and the seconds until it is started again.
    """
    pause = min(MAX_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** (deaths - 1))
    record = replace(record, exit_code=code, deaths=deaths)
    if deaths >= MAX_DEATHS:
        detail = f"died {deaths} times in a row and is not started again; `make run` tries anew"
        return replace(record, state="failed", detail=detail), pause
    detail = f"is started again in {pause:.1f} s"
    return replace(record, state="restarting", restarts=record.restarts + 1, detail=detail), pause


def _read(path: Path) -> ProcessSpec | None:
    try:
        return ProcessSpec(**json.loads(path.read_text()))
    except (FileNotFoundError, ValueError, TypeError):  # `make stop` has deleted it meanwhile
        return None


def _log(text: str) -> None:
    print(f"{datetime.now(UTC).isoformat(timespec='seconds')} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    Daemon(Path(sys.argv[1])).run()
