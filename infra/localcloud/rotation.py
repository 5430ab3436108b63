"""Files of lines that stay bounded: a file that is full is renamed to ``<name>.1``, and the oldest one is deleted."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

MIB = 1024 * 1024


class RotatingFile:
    """Appends to a file and begins a new one between two lines when it is full. One writer; not thread-safe.

    Args:
        file: The newest file; the one before is ``<file>.1``.
        limit: Bytes of one file. A line that alone is larger than twice as much is cut.
        keep: How many older files are kept.
    """

    def __init__(self, file: Path, limit: int = 16 * MIB, keep: int = 7) -> None:
        self._path, self._limit, self._keep = file, limit, keep
        file.parent.mkdir(parents=True, exist_ok=True)
        self._open()
        if not self._at_line_start:  # a kill has torn the last line: the next one must not continue it
            self.write(b"\n")

    def write(self, data: bytes) -> None:
        """Appends bytes, which may end in the middle of a line.

        Raises:
            OSError: The file cannot be written.
        """
        if self._size + len(data) > self._limit:
            end = 0 if self._at_line_start else data.find(b"\n") + 1
            if self._at_line_start or end or self._size > 2 * self._limit:
                self._append(data[:end])
                data = data[end:]
                if self._size and data:
                    self._rotate()
        self._append(data)

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _append(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            written = self._file.write(rest) or 0
            self._size += written
            rest = rest[written:]
        if data:
            self._at_line_start = data.endswith(b"\n")

    def _rotate(self) -> None:
        self._file.close()
        for number in range(min(_oldest(self._path), self._keep - 1), -1, -1):
            Path(_older(self._path, number)).replace(_older(self._path, number + 1))
        self._open()

    def _open(self) -> None:
        self._file = self._path.open("a+b", buffering=0)
        self._size = self._file.seek(0, os.SEEK_END)
        self._at_line_start = self._size == 0 or os.pread(self._file.fileno(), 1, self._size - 1) == b"\n"


def read_lines(file: Path) -> Iterator[bytes]:
    """The lines of a rotating file and of its older files, oldest first; also while another process writes.

    Raises:
        FileNotFoundError: There is no such file.
    """
    with contextlib.ExitStack() as opened:
        # Newest first: a file that is renamed meanwhile is found again under its older name, and none is missed. The
        # last name counts, because a newer file may have been found between the two.
        found: dict[tuple[int, int], BufferedReader] = {}
        number = 0
        while number <= _oldest(file):
            with contextlib.suppress(FileNotFoundError):
                lines = opened.enter_context(_older(file, number).open("rb"))
                status = os.fstat(lines.fileno())
                key = status.st_dev, status.st_ino
                found.pop(key, None)
                found[key] = lines
            number += 1
        if not found:
            raise FileNotFoundError(file)
        for lines in reversed(found.values()):
            yield from lines


def _oldest(file: Path) -> int:
    """The number of the oldest file; 0 when there is none but the newest."""
    numbers = (path.name.removeprefix(f"{file.name}.") for path in file.parent.glob(f"{file.name}.*"))
    return max((int(number) for number in numbers if number.isdecimal()), default=0)


def _older(file: Path, number: int) -> Path:
    return file.with_name(f"{file.name}.{number}") if number else file
