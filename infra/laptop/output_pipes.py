"""What the stack's processes print: pipes that the supervisor copies into rotating log files.

A process that has opened a log file itself keeps writing into it after a rename, and cutting the file under it loses
lines. Therefore the supervisor writes the files.
"""

from __future__ import annotations

import os
import select
from pathlib import Path

from infra.localcloud.rotation import MIB, RotatingFile

FILE_BYTES, OLDER_FILES = 8 * MIB, 3
_CHUNK = 64 * 1024


class OutputPipes:
    """Pipes by the number of their read end, and the log of each."""

    def __init__(self) -> None:
        self._logs: dict[Path, RotatingFile] = {}
        self._pipes: dict[int, RotatingFile] = {}

    def open(self, log: Path) -> tuple[int, int]:
        """Opens a pipe whose content is appended to ``log``.

        Returns:
            The numbers of its read and write end. The caller gives the write end to a process and closes it.
        """
        if log not in self._logs:
            self._logs[log] = RotatingFile(log, FILE_BYTES, OLDER_FILES)
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        self._pipes[reader] = self._logs[log]
        return reader, writer

    def copy(self, seconds: float, *others: int) -> list[int]:
        """Waits until a process has printed something, or until one of ``others`` can be read, and copies.

        Args:
            seconds: The longest wait.
            others: More numbers to wait for.

        Returns:
            Those of ``others`` that can be read.
        """
        ready = select.select([*self._pipes, *others], [], [], seconds)[0]
        for number in ready:
            if number in self._pipes:
                self._copy_chunk(number)
        return [number for number in ready if number in others]

    def drain(self, number: int) -> None:
        """Copies what is in a pipe now."""
        while number in self._pipes and self._copy_chunk(number):
            pass

    def _copy_chunk(self, number: int) -> bool:
        """Copies up to 64 KiB; returns whether there may be more. Closes a pipe that nobody can write into any more."""
        try:
            data = os.read(number, _CHUNK)
        except BlockingIOError:
            return False
        if not data:
            del self._pipes[number]
            os.close(number)
            return False
        try:
            self._pipes[number].write(data)
        except OSError:  # a full disk must not end the supervisor, and with it all processes
            return False
        return True
