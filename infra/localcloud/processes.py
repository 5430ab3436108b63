"""The two ways to start a job's process: afresh, or as the fork of an interpreter that has imported its libraries.

Either way the process has a session of its own, and is a zombie from its end until it is released, so that nobody else
can get its group id meanwhile.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

from infra.localcloud import linux


class Process(Protocol):
    """A process that was started."""

    @property
    def pid(self) -> int:
        """Its id, which is that of its group."""
        ...

    def await_end(self) -> None:
        """Returns when it has ended."""
        ...

    def release(self) -> int:
        """Lets go of an ended process; returns its exit code, negative for a signal."""
        ...


class Fresh:
    """A process that was started afresh: a child of this one."""

    def __init__(self, argv: Sequence[str], cwd: Path, env: dict[str, str], out: int, err: int) -> None:
        self._process = subprocess.Popen(
            argv,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
            preexec_fn=partial(linux.die_with, os.getpid(), signal.SIGKILL),
        )
        self.pid = self._process.pid

    def await_end(self) -> None:
        """Returns when it has ended."""
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)

    def release(self) -> int:
        """Lets go of the process; returns its exit code."""
        return self._process.wait()


class Forked:
    """A child of a zygote, which reports its end. If the zygote dies, the child was killed with it."""

    def __init__(self, pid: int, control: socket.socket) -> None:
        self.pid = pid
        self._control = control
        self._code = -signal.SIGKILL

    def await_end(self) -> None:
        """Returns when it has ended."""
        if code := self._control.recv(16):
            self._code = int(code)

    def release(self) -> int:
        """Lets go of the process; returns its exit code."""
        self._control.close()
        return self._code
