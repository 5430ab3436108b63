"""Starting and stopping one server process on loopback, pinned to a core."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.serving.inputs import Form

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 120.0
STOP_SECONDS = 20.0
_LOG_TAIL = 1500


class ServerError(RuntimeError):
    """A server did not start or answer; the text has the end of its log."""


def cores() -> tuple[int, int]:
    """The server's core and the load generator's; the same one where there is only one."""
    available = sorted(os.sched_getaffinity(0))
    return available[0], available[-1]


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def pinned(allowed: set[int] | None) -> Iterator[None]:
    """What is started in here may run on these cores only; None leaves it all."""
    before = os.sched_getaffinity(0)
    if allowed is not None:
        os.sched_setaffinity(0, allowed)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Server:
    """One server's process tree; ends with the ``with`` block."""

    def __init__(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str],
        port: int,
        log: Path,
        allowed: set[int] | None,
        cwd: Path = ROOT,
    ) -> None:
        self.port = port
        self._log = log
        # Nothing of the caller's own Python may reach a server, least of all a switch that forbids it compiled files.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        with log.open("wb") as output, pinned(allowed):
            self.started = time.perf_counter()
            self._process = subprocess.Popen(
                argv,
                cwd=cwd,
                env={**inherited, **environment},
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def until_answers(self, form: Form) -> float:
        """Seconds from the start to the first 200. Raises :class:`ServerError` when there is none."""
        request = form.request(0, [(1, 1)])
        head, _, body = request.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
        answer = "nothing yet"
        while time.perf_counter() - self.started < START_SECONDS:
            if self._process.poll() is not None:
                raise ServerError(f"The server ended with {self._process.returncode}:\n{self.tail()}")
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
            try:
                connection.request("POST", form.path, body, headers)
                response = connection.getresponse()
                if response.status == 200:
                    return time.perf_counter() - self.started
                answer = f"{response.status} {response.read(300)!r}"
                if response.status in (401, 422):
                    raise ServerError(f"The server refuses the benchmark's request: {answer}\n{self.tail()}")
            except (OSError, http.client.HTTPException) as error:
                answer = f"{type(error).__name__}: {error}"
            finally:
                connection.close()
            time.sleep(0.02)
        raise ServerError(f"The server did not answer 200 within {START_SECONDS:.0f} s, last: {answer}\n{self.tail()}")

    def until_logged(self, text: str, times: int) -> float:
        """Seconds from the start until the log has ``text`` so many times."""
        while time.perf_counter() - self.started < START_SECONDS and self._process.poll() is None:
            if self._log.read_text(errors="replace").count(text) >= times:
                return time.perf_counter() - self.started
            time.sleep(0.02)
        raise ServerError(f"The log never had {text!r} {times} times:\n{self.tail()}")

    def tail(self) -> str:
        """The end of the log."""
        return self._log.read_text(errors="replace")[-_LOG_TAIL:]

    def stop(self) -> None:
        """SIGTERM to the process; what is left of its tree after a while is killed."""
        try:
            family = [self._process, *psutil.Process(self.pid).children(recursive=True)]
        except psutil.NoSuchProcess:
            family = [self._process]
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for child in family[1:]:
            try:
                child.wait(2)
            except psutil.TimeoutExpired:
                child.kill()
