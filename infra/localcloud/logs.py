"""Ships what a process prints to CloudWatch Logs (moto's backend, in this process) and to a file."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from pathlib import Path

from moto.logs.models import logs_backends

from infra.localcloud.background import report_exception
from infra.localcloud.config import Config

# A Java exception with its causes can have hundreds of lines below the Python traceback that names the reason.
TAIL_LINES = 2000
_moto = threading.Lock()  # moto's log streams and event numbers are not thread-safe


class Tail:
    """The last lines of one stream of a process, for failure reasons."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=TAIL_LINES)

    def extend(self, lines: list[str]) -> None:
        """Appends lines; the oldest are dropped."""
        self._lines.extend(lines)

    def last(self, count: int) -> list[str]:
        """Returns the last lines, oldest first."""
        return list(self._lines)[-count:]


class LogStream:
    """One CloudWatch Logs stream; opening it creates the stream and its group.

    Args:
        config: The server's configuration.
        group: The log group.
        stream: The stream.
        allowed: False for a role that may not write the log: the lines then reach the file alone.
    """

    def __init__(self, config: Config, group: str, stream: str, *, allowed: bool = True) -> None:
        self._group, self._stream, self._allowed = group, stream, allowed
        self._backend = logs_backends[config.account][config.region]
        if allowed:
            with _moto:
                self._backend.ensure_log_group(group)
                self._backend.ensure_log_stream(group, stream)
        self.file: Path = config.state / "logs" / f"{group}/{stream}".strip("/")
        self.file.parent.mkdir(parents=True, exist_ok=True)

    def put(self, lines: list[str]) -> None:
        """Appends lines with the current time. An empty line becomes a space: CloudWatch refuses empty messages."""
        if self._allowed:
            stamp = int(time.time() * 1000)
            with _moto:
                events = [{"timestamp": stamp, "message": line or " "} for line in lines]
                self._backend.put_log_events(self._group, self._stream, events)
        with self.file.open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)


def write_permissions(config: Config, group: str, stream: str) -> tuple[tuple[str, str], ...]:
    """The IAM actions, each with its resource, that a role needs to write a log stream."""
    arn = f"arn:aws:logs:{config.region}:{config.account}:log-group:{group}:log-stream:{stream}"
    return ("logs:CreateLogStream", arn), ("logs:PutLogEvents", arn)


class Shipper:
    """A thread that reads a pipe to its end into a log stream and a tail, then closes the pipe.

    It reads on when lines cannot be written to the log stream: a process must not die of a full disk's log.

    Attributes:
        error: Why the last lines could not be written; None while they can.
    """

    def __init__(self, descriptor: int, log: LogStream, tail: Tail) -> None:
        self.error: str | None = None
        self._descriptor, self._log, self._tail = descriptor, log, tail
        self._thread = threading.Thread(target=self._run, name=f"logs-{descriptor}", daemon=True)
        self._thread.start()

    def join(self, seconds: float) -> None:
        """Waits until everything was shipped, but at most this long."""
        self._thread.join(seconds)

    def _run(self) -> None:
        rest = b""
        try:
            while chunk := os.read(self._descriptor, 65536):
                *whole, rest = (rest + chunk).split(b"\n")
                if whole:
                    self._put([line.decode("utf-8", "replace").rstrip("\r") for line in whole])
            if rest:
                self._put([rest.decode("utf-8", "replace")])
        finally:
            os.close(self._descriptor)

    def _put(self, lines: list[str]) -> None:
        self._tail.extend(lines)
        try:
            self._log.put(lines)
            self.error = None
        except Exception as error:
            if self.error is None:
                report_exception(self._thread.name)
            self.error = f"{type(error).__name__}: {error}"
