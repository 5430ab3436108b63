"""The interpreters that have imported an image's libraries, from which its jobs are forked (:mod:`.zygote`).

A job is forked if its interpreter is started afresh in the same state: with ``python -m module`` or ``python script``,
and with the same variables that interpreter and libraries read when they start. Any other job is started afresh.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from infra.localcloud import linux
from infra.localcloud.config import Preload
from infra.localcloud.processes import Forked
from infra.localcloud.zygote import READY

_SCRIPT = Path(__file__).with_name("zygote.py")
_READY_SECONDS = 120.0
_FORK_SECONDS = 30.0
# Read by an interpreter, its loader or numerical libraries when they start.
_READ_AT_START = ("PYTHON", "LD_", "OMP_", "OPENBLAS_", "MKL_", "NUMEXPR_", "MALLOC_", "ARROW_")
_GIVEN_LATER = ("PYTHONPATH", "PYTHONUNBUFFERED")  # the fork applies these


_Start = Callable[[], "subprocess.Popen[bytes]"]


@dataclass(frozen=True)
class Launch:
    """A job's process: what :meth:`~infra.localcloud.jobs.Runner.start` was asked for."""

    argv: Sequence[str]
    cwd: Path
    env: Mapping[str, str]
    mounts: Mapping[str, Path] = field(default_factory=dict)


class Zygotes:
    """The running interpreters, one for each that a job has asked for. Each ends when it was not used for a while.

    Args:
        inherited: Names of the variables that every process inherits.
        start: Starts a process in the thread with which its death is tied to this one's.
    """

    def __init__(self, inherited: Sequence[str], start: Callable[[_Start], subprocess.Popen[bytes]]) -> None:
        self._inherited = inherited
        self._start = start
        self._lock = threading.Lock()
        self._running: dict[str, _Zygote] = {}

    def fork(self, preload: Preload, launch: Launch, out: int, err: int) -> Forked | None:
        """Starts the job's process as a fork; None if it must be started afresh.

        Args:
            preload: What its interpreter has imported.
            launch: The process.
            out: Descriptor of its stdout.
            err: Descriptor of its stderr.
        """
        if not (sys.platform.startswith("linux") and _can_be_forked(preload, launch)):
            return None
        for _ in range(2):  # it may end, unused for a while, at the moment of the first attempt
            zygote = self._find(launch.argv[0], preload)
            if not zygote.wait_until_ready():
                return None
            if forked := zygote.fork(launch, out, err):
                return forked
        return None

    def warm(self, python: str, preload: Preload) -> None:
        """Waits until the interpreter has imported everything, so that the next job starts at once."""
        if sys.platform.startswith("linux"):
            self._find(python, preload).wait_until_ready()

    def _find(self, python: str, preload: Preload) -> _Zygote:
        key = json.dumps([python, _installed_at(python), preload.modules, preload.env], sort_keys=True)
        with self._lock:
            found = self._running.get(key)
            if found is None or (found.served and found.ended):  # one that ended before it served would end again
                found = self._running[key] = self._make(python, preload)
            return found

    def _make(self, python: str, preload: Preload) -> _Zygote:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        env = {name: os.environ[name] for name in self._inherited if name in os.environ}
        env |= {name: value for name, value in preload.env.items() if name not in _GIVEN_LATER}
        with theirs:
            return _Zygote(self._start(partial(_popen, python, preload.modules, env, theirs.fileno())), ours)


class _Zygote:
    def __init__(self, process: subprocess.Popen[bytes], server: socket.socket) -> None:
        self.served = self._lost = False
        self._process = process
        self._server = server
        self._lock = threading.Lock()
        # No zombie stays; and the thread keeps this object: without its socket, the process ends, and its jobs with it.
        threading.Thread(target=self._await_end, name=f"zygote-{process.pid}", daemon=True).start()

    def _await_end(self) -> None:
        self._process.wait()

    @property
    def ended(self) -> bool:
        """Whether the process has ended, or answers no more."""
        return self._lost or self._process.returncode is not None

    def wait_until_ready(self) -> bool:
        """Waits until it has imported everything; False if it ended instead."""
        with self._lock:
            if not (self.served or self.ended):
                self._server.settimeout(_READY_SECONDS)
                try:
                    self.served = self._server.recv(16) == READY
                except OSError:  # too slow, or dead: jobs are started afresh
                    self._lost = True
        return self.served

    def fork(self, launch: Launch, out: int, err: int) -> Forked | None:
        """Forks; None if the zygote has ended."""
        wanted = {
            "argv": list(launch.argv),
            "cwd": str(launch.cwd),
            "env": dict(launch.env),
            "mounts": {target: str(source) for target, source in launch.mounts.items()},
            "parent": self._process.pid,
        }
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        specification = os.memfd_create("job")
        try:
            os.write(specification, json.dumps(wanted).encode())
            os.lseek(specification, 0, os.SEEK_SET)
            with theirs, self._lock:
                socket.send_fds(self._server, [b"."], [theirs.fileno(), specification, out, err])
            ours.settimeout(_FORK_SECONDS)
            pid = ours.recv(16)
        except OSError:
            pid = b""
        finally:
            os.close(specification)
        if not pid.isdigit():
            self._lost = True
            ours.close()
            return None
        ours.settimeout(None)
        return Forked(int(pid), ours)


def _installed_at(python: str) -> int:
    """When the libraries of an environment changed. While a service's tasks run, the zygote that forked them stays."""
    folders = Path(python).parent.parent.glob("lib/python*/site-packages")
    return max((folder.stat().st_mtime_ns for folder in folders), default=0)


def _can_be_forked(preload: Preload, launch: Launch) -> bool:
    """Whether a fresh interpreter would start with the same command line and variables as the zygote has."""
    argv, env = launch.argv, launch.env
    plain = len(argv) > 1 and ((argv[1] == "-m" and len(argv) > 2) or argv[1].endswith(".py"))
    same = all(env.get(name) == value for name, value in preload.env.items())
    read = {name for name in env if name.startswith(_READ_AT_START)} - {*preload.env, *_GIVEN_LATER}
    return plain and same and not read


def _popen(python: str, modules: Sequence[str], env: dict[str, str], server: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [python, str(_SCRIPT), json.dumps(modules)],
        cwd="/",
        env=env,
        stdin=server,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=partial(linux.die_with, os.getpid(), signal.SIGKILL),
    )
