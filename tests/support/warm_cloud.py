"""Local clouds by fork from one process that has imported the server's code, because imports are most of a start.

As a program this is that process: it forks a server for each line of its standard input. The server then runs the
command as ``python -m infra.localcloud`` does, with the environment, the folder and the arguments of the line.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import select
import signal
import subprocess
import sys
import threading
import warnings
from functools import cache
from pathlib import Path

MODULE = "tests.support.warm_cloud"
AVAILABLE = hasattr(os, "pidfd_open")  # Linux


class ForkedServer:
    """A server that is no child of this process; with the methods of :class:`subprocess.Popen` that tests use."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._descriptor = os.pidfd_open(pid)

    def poll(self) -> int | None:
        """None while it runs; then 0, as nobody knows its exit code."""
        return 0 if select.select([self._descriptor], [], [], 0)[0] else None

    def wait(self, timeout: float | None = None) -> int:
        """Waits for its end."""
        if not select.select([self._descriptor], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired("a local cloud", timeout or 0)
        return 0

    def send_signal(self, number: int) -> None:
        """Sends it a signal, unless it has ended."""
        if self.poll() is None:
            signal.pidfd_send_signal(self._descriptor, number)

    def kill(self) -> None:
        """Kills it."""
        self.send_signal(signal.SIGKILL)


class Parent:
    """The process that forks."""

    def __init__(self, python: Path, root: Path, account: str) -> None:
        self._turn = threading.Lock()
        self._process = subprocess.Popen(
            [str(python), "-m", MODULE, account], cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def start(self, arguments: list[str], log: Path) -> ForkedServer:
        """Starts a server with these arguments; it writes its output to a file."""
        asked = {"arguments": arguments, "log": str(log), "environment": dict(os.environ)}
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        with self._turn:
            stdin.write(json.dumps(asked) + "\n")
            stdin.flush()
            return ForkedServer(int(stdout.readline()))

    def end(self) -> None:
        """Ends the process; servers that run go on."""
        self._process.communicate()


@cache
def parent(python: Path, root: Path, account: str) -> Parent:
    """The process that forks, one for a session of pytest."""
    made = Parent(python, root, account)
    atexit.register(made.end)
    return made


def main(account: str) -> None:
    """Imports what a server imports, then forks."""
    from infra.localcloud.server import prepare_moto

    prepare_moto(account, 0)
    from moto.moto_api._internal import mock_random

    from infra.localcloud import application  # noqa: F401 - for the servers
    from infra.localcloud.__main__ import main as serve
    from infra.localcloud.authorization import tables
    from infra.localcloud.state import shape

    shape.versions()  # imports all services
    tables.service("s3")
    gc.freeze()
    # The threads are those of libraries' allocators, which are made for a fork.
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # an ended server leaves no zombie
    for line in sys.stdin:
        if pid := os.fork():
            sys.stdout.write(f"{pid}\n")
            sys.stdout.flush()
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        asked = json.loads(line)
        os.environ.clear()
        os.environ.update(asked["environment"])
        log = os.open(asked["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        for descriptor, stream in ((os.open(os.devnull, os.O_RDONLY), 0), (log, 1), (log, 2)):
            os.dup2(descriptor, stream)
        mock_random.seed()
        sys.argv[1:] = asked["arguments"]
        sys.exit(serve())


if __name__ == "__main__":
    main(sys.argv[1])
