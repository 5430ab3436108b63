"""Log lines on their way to stdout. When nobody reads stdout, lines are dropped and requests are not delayed."""

from __future__ import annotations

import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from serving.clock import timestamp
from serving.telemetry.packing import parts

# A pipe takes this many bytes in one piece (POSIX). Several workers share the task's stdout, so a longer write could be
# mixed with another worker's line.
CHUNK_BYTES = select.PIPE_BUF
WRITES_EVERY_SECONDS = 0.2
REPORT_EVERY_SECONDS = 1.0


@dataclass
class _Lines:
    """Lines that were added together, or soon after each other."""

    data: bytearray
    count: int


class LineBuffer:
    """A bounded buffer that a thread writes out a few times a second.

    Args:
        limit: Capacity in lines. Further lines are dropped and counted.
        descriptor: File descriptor to write to.
        on_drop: Called for every dropped line, in the thread that wrote it.
    """

    def __init__(self, limit: int, descriptor: int, on_drop: Callable[[], None]) -> None:
        self._waiting: deque[_Lines] = deque()  # thousands of single lines would be as many live objects
        self._lines = 0
        self._lock = threading.Lock()
        self._limit = limit
        self._descriptor = descriptor
        self._on_drop = on_drop
        self._unreported = 0
        self._last_report = 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lines", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def put(self, lines: bytes, count: int = 1) -> None:
        """Adds so many lines, newlines included, as far as there is room. Does not block."""
        with self._lock:
            dropped = max(0, self._lines + count - self._limit)
            if dropped:
                count -= dropped
                lines = b"".join(lines.splitlines(keepends=True)[:count])
            self._lines += count
            last = self._waiting[-1] if self._waiting else None
            if last and len(last.data) + len(lines) <= CHUNK_BYTES:
                last.data += lines
                last.count += count
            elif count:
                self._waiting.append(_Lines(bytearray(lines), count))
        if dropped:
            # Without the lock: the log's count may miss a line; the metric behind on_drop is exact.
            self._unreported += dropped
            for _ in range(dropped):
                self._on_drop()

    def stop(self, seconds: float) -> bool:
        """Writes what is buffered. Returns whether that was done within ``seconds``."""
        self._stopping.set()
        self._thread.join(max(0.0, seconds))
        return not self._thread.is_alive()

    def report_dropped(self, now: float) -> None:
        """Writes how many lines were dropped since the last report, at most once a second.

        Args:
            now: Seconds of ``time.monotonic()``.
        """
        if not self._unreported or now - self._last_report < REPORT_EVERY_SECONDS:
            return
        count, self._unreported = self._unreported, 0
        self._last_report = now
        line = {
            "time": timestamp(time.time()),
            "level": "WARNING",
            "logger": "serving.telemetry",
            "message": "log lines were dropped",
        }
        self._write(msgspec.json.encode({**line, "dropped": count}) + b"\n")

    def _run(self) -> None:
        while not self._stopping.wait(0 if self._lines > self._limit // 2 else WRITES_EVERY_SECONDS):
            self._flush()
            self.report_dropped(time.monotonic())
        self._flush()
        self.report_dropped(float("inf"))

    def _flush(self) -> None:
        # What comes meanwhile waits for the next time: else each line would be a write, and would wake this thread.
        count = len(self._waiting)
        chunk = b""
        while self._waiting and (count > 0 or self._stopping.is_set()):
            count -= 1
            with self._lock:
                lines = self._waiting.popleft()
                self._lines -= lines.count
            *full, chunk = parts(chunk + lines.data, CHUNK_BYTES, CHUNK_BYTES)
            if count <= 0 or not self._waiting:
                full, chunk = [*full, chunk], b""
            for one in full:
                self._write(one)

    def _write(self, chunk: bytes) -> None:
        try:
            while chunk:
                try:
                    chunk = chunk[os.write(self._descriptor, chunk) :]
                except BlockingIOError:  # the process that started the service made stdout non-blocking
                    select.select([], [self._descriptor], [], 1.0)
        except OSError:  # the reader has closed its end
            for _ in range(chunk.count(b"\n")):
                self._on_drop()
