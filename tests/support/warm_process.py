"""Servers by fork from one process that has imported their code, because imports are most of a start.

Such a process is a program of ``tests/support`` that imports and calls :func:`fork_on_demand`. It forks a server for
each line of its standard input, with the environment, the arguments and the file for output that the line gives.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).parents[2]
AVAILABLE = hasattr(os, "pidfd_open")  # Linux


class ForkedProcess:
    """A process that is no child of this one, with the methods of :class:`subprocess.Popen` that tests use."""

    def __init__(self, pid: int, code: Path) -> None:
        self.pid = pid
        self._code = code
        try:
            self._descriptor: int | None = os.pidfd_open(pid)
        except ProcessLookupError:  # it has ended already
            self._descriptor = None

    def poll(self) -> int | None:
        """Its exit code, None while it runs."""
        return self.wait(0) if self._has_ended(0) else None

    def wait(self, timeout: float | None = None) -> int:
        """Waits for its end; returns its exit code."""
        if not self._has_ended(timeout):
            raise subprocess.TimeoutExpired("a forked process", timeout or 0)
        while not self._code.exists():  # written in the next moment
            time.sleep(0.005)
        return int(self._code.read_text())

    def send_signal(self, number: int) -> None:
        """Sends it a signal, unless it has ended."""
        if not self._has_ended(0) and self._descriptor is not None:
            signal.pidfd_send_signal(self._descriptor, number)

    def terminate(self) -> None:
        """Asks it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kills it."""
        self.send_signal(signal.SIGKILL)

    def _has_ended(self, timeout: float | None) -> bool:
        return self._descriptor is None or bool(select.select([self._descriptor], [], [], timeout)[0])


class Parent:
    """The process that forks."""

    def __init__(self, python: Path, module: str) -> None:
        self._turn = threading.Lock()
        self._codes = tempfile.TemporaryDirectory(prefix="nightjar-exit-codes-")
        self._started = 0
        self._process = subprocess.Popen(
            [str(python), "-m", module], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def start(self, arguments: list[str], log: Path, environment: dict[str, str]) -> ForkedProcess:
        """Forks a server."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        with self._turn:
            self._started += 1
            code = Path(self._codes.name, str(self._started))
            asked = {"arguments": arguments, "log": str(log), "environment": environment, "code": str(code)}
            stdin.write(json.dumps(asked) + "\n")
            stdin.flush()
            return ForkedProcess(int(stdout.readline()), code)

    def end(self) -> None:
        """Ends the process; servers that run go on."""
        self._process.communicate()
        self._codes.cleanup()


@cache
def parent(python: Path, module: str) -> Parent:
    """The process that forks servers of a kind, one for a session of pytest."""
    made = Parent(python, module)
    atexit.register(made.end)
    return made


def fork_on_demand(command: Callable[[], int]) -> None:
    """Forks until the standard input ends; each child runs the command, and ends with its exit code."""
    gc.freeze()
    # The threads are those of libraries' allocators, which are made for a fork.
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
    for line in sys.stdin:
        _reap()
        asked = json.loads(line)
        if not os.fork():
            if pid := os.fork():
                _report(pid, Path(asked["code"]))
            _become(asked)
            _run(command)
    _reap()


def _reap() -> None:
    """Adds what ended children have worked to what this process has (its parent measures it), and ends zombies."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _run(command: Callable[[], int]) -> NoReturn:
    """Runs the command and ends, without what an interpreter does last: libraries would look for threads of theirs."""
    code = 1
    try:
        code = command()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _report(pid: int, file: Path) -> None:
    """Tells a server's process id, and its exit code when it has ended."""
    os.write(1, f"{pid}\n".encode())
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nothing, stream)
    _, status = os.waitpid(pid, 0)
    written = file.with_suffix(".part")
    written.write_text(str(os.waitstatus_to_exitcode(status)))
    written.rename(file)
    os._exit(0)


def _become(asked: dict[str, Any]) -> None:
    """Takes the place of a process that was started anew."""
    os.environ.clear()
    os.environ.update(asked["environment"])
    log = os.open(asked["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for descriptor, stream in ((os.open(os.devnull, os.O_RDONLY), 0), (log, 1), (log, 2)):
        os.dup2(descriptor, stream)
    sys.argv[1:] = asked["arguments"]
