"""Starts and stops one server on loopback, pinned to a core."""

from __future__ import annotations

import http.client
import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.errors import BenchmarkError
from benchmarks.serving.inputs import Form

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 120.0
STOP_SECONDS = 20.0
_LOG_TAIL = 1500


class ServerError(BenchmarkError):
    """A server did not start or answer. The text has the end of its log."""


def cores() -> tuple[int, int]:
    """The server's core and the load generator's. They are the same if there is only one."""
    available = sorted(os.sched_getaffinity(0))
    return available[0], available[-1]


@contextmanager
def pinned(allowed: set[int] | None) -> Iterator[None]:
    """Processes that are started inside run on these cores only; None: on all."""
    before = os.sched_getaffinity(0)
    if allowed is not None:
        os.sched_setaffinity(0, allowed)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Server:
    """The process tree of one server. It ends with the ``with`` block."""

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
        # Python variables of this process must not affect the server, for example PYTHONDONTWRITEBYTECODE.
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
        """Waits for the first 200 and returns the seconds since the start.

        Raises:
            ServerError: There is none in time, the server ended, or it rejects the request.
        """
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
        """Waits until the log has ``text`` this many times and returns the seconds since the start.

        Raises:
            ServerError: It does not in time, or the server ended.
        """
        while time.perf_counter() - self.started < START_SECONDS and self._process.poll() is None:
            if self._log.read_text(errors="replace").count(text) >= times:
                return time.perf_counter() - self.started
            time.sleep(0.02)
        raise ServerError(f"The log never had {text!r} {times} times:\n{self.tail()}")

    def tail(self) -> str:
        """The end of the log."""
        return self._log.read_text(errors="replace")[-_LOG_TAIL:]

    def stop(self) -> None:
        """Ends the process with SIGTERM, and kills what is left of its tree after a while."""
        try:
            children = psutil.Process(self.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            children = []
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for child in children:
            try:
                child.wait(2)
            except psutil.TimeoutExpired:
                child.kill()
