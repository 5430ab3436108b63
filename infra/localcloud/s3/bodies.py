"""The bodies of objects and parts: one file each, under a generated name that only the index knows.

A body is complete and on disk before the index names it, and it is never changed afterwards. So copies share a file,
and a file that the index does not name is garbage of a write that did not finish.
"""

from __future__ import annotations

import io
import os
import uuid
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import IO

_FOLDERS = 256
_BLOCK = 1 << 20


class Body:
    """A body that is being written. Leaving the ``with`` block before :meth:`keep` removes it."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._path = path
        self._file: IO[bytes] = path.open("xb", buffering=0)
        self._kept = False

    def __enter__(self) -> Body:
        """Returns itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Removes the file unless it is kept."""
        self._file.close()
        if not self._kept:
            self._path.unlink(missing_ok=True)

    def write(self, block: bytes | memoryview) -> None:
        """Appends a block."""
        view = memoryview(block)
        while view:
            view = view[self._file.write(view) or 0 :]

    def append_file(self, source: Path, offset: int = 0, size: int | None = None) -> int:
        """Appends a file, or a part of it, inside the kernel; returns the number of bytes."""
        with source.open("rb", buffering=0) as file:
            left = os.fstat(file.fileno()).st_size - offset if size is None else size
            copied = 0
            while copied < left:
                step = os.sendfile(self._file.fileno(), file.fileno(), offset + copied, min(left - copied, 64 * _BLOCK))
                if not step:
                    break
                copied += step
        return copied

    def keep(self) -> str:
        """Writes everything to the disk, and returns the name. The caller commits the name to the index."""
        os.fsync(self._file.fileno())
        self._file.close()
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        self._kept = True
        return self.name


class Bodies:
    """The folder of bodies."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._prefix = f"{folder}/"
        for number in range(_FOLDERS):
            (folder / f"{number:02x}").mkdir(parents=True, exist_ok=True)

    def path(self, name: str) -> Path:
        """The file of a body."""
        return self._folder / name[:2] / name

    def open(self, name: str) -> IO[bytes]:
        """Opens a body for reading. On the way of every GetObject, so without the cost of a Path.

        Raises:
            FileNotFoundError: It was deleted.
        """
        return io.FileIO(f"{self._prefix}{name[:2]}/{name}")

    def create(self) -> Body:
        """Starts a new body."""
        return Body(self.path(uuid.uuid4().hex))

    def delete(self, names: Iterable[str]) -> None:
        """Removes bodies. Readers that have one open still read it to its end."""
        for name in names:
            self.path(name).unlink(missing_ok=True)

    def sweep(self, named: set[str]) -> int:
        """Removes every body that is not among ``named``; returns how many."""
        garbage = [path for path in self._folder.glob("??/*") if path.name not in named]
        for path in garbage:
            path.unlink()
        return len(garbage)
