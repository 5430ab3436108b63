"""Lines on their way to stdout. A reader that has stopped reading costs lines, never a request."""

from __future__ import annotations

import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from serving.telemetry.times import stamp

# A pipe takes this many bytes in one piece (POSIX). Several processes share the task's stdout, so a longer write could end up
# in the middle of another process's line.
CHUNK_BYTES = select.PIPE_BUF
WRITES_EVERY_SECONDS = 0.2
REPORT_EVERY_SECONDS = 1.0


@dataclass
class _Chunk:
    """Lines that are written in one piece."""

    data: bytearray
    lines: int = 1


class Lines:
    """A bounded buffer that a thread empties a few times a second.

    :param limit: lines that may wait; further ones are dropped and counted.
    :param descriptor: the file descriptor to write to.
    :param dropped: told of every dropped line, in the thread that offered it.
    """

    def __init__(self, limit: int, descriptor: int, dropped: Callable[[], None]) -> None:
        # Of at most CHUNK_BYTES each. Kept as they will be written: thousands of single lines would be as many live objects.
        self._waiting: deque[_Chunk] = deque()
        self._lines = 0
        self._lock = threading.Lock()
        self._limit = limit
        self._descriptor = descriptor
        self._dropped = dropped
        self._unreported = 0
        self._reported = 0.0
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lines", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def put(self, line: bytes) -> None:
        """One line, newline included. Never waits for more than a moment."""
        with self._lock:
            if self._lines < self._limit:
                self._lines += 1
                last = self._waiting[-1] if self._waiting else None
                if last and len(last.data) + len(line) <= CHUNK_BYTES:
                    last.data += line
                    last.lines += 1
                else:
                    self._waiting.append(_Chunk(bytearray(line)))
                return
        self._unreported += 1  # unlocked: two threads may lose a count in the log; the metric behind dropped() is exact
        self._dropped()

    def stop(self, seconds: float) -> bool:
        """Writes what waits; false when that took longer than ``seconds`` and was given up."""
        self._ending.set()
        self._thread.join(max(0.0, seconds))
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._ending.wait(WRITES_EVERY_SECONDS):
            self._empty()
            self._report()
        self._empty()
        self._reported = 0.0
        self._report()

    def _empty(self) -> None:
        while self._waiting:
            with self._lock:
                chunk = self._waiting.popleft()
                self._lines -= chunk.lines
            self._write(bytes(chunk.data), chunk.lines)

    def _report(self) -> None:
        """At most one line a second says how many lines are missing."""
        if not self._unreported or time.monotonic() - self._reported < REPORT_EVERY_SECONDS:
            return
        count, self._unreported = self._unreported, 0
        self._reported = time.monotonic()
        line = {
            "time": stamp(time.time()),
            "level": "WARNING",
            "logger": "serving.telemetry",
            "message": "log lines were dropped",
        }
        self._write(msgspec.json.encode({**line, "dropped": count}) + b"\n", 1)

    def _write(self, chunk: bytes, lines: int) -> None:
        try:
            while chunk:
                try:
                    chunk = chunk[os.write(self._descriptor, chunk) :]
                except BlockingIOError:  # whoever gave us stdout made it non-blocking
                    select.select([], [self._descriptor], [], 1.0)
        except OSError:  # nobody will ever read it: the reader's end is closed
            for _ in range(lines):
                self._dropped()
