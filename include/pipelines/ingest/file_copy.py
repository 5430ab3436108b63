"""A copy of a dropped file on the worker's disk: complete, text in UTF-8 or Parquet, with its digest."""

from __future__ import annotations

import codecs
import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple, Protocol

from include.pipelines.ingest.file_outcomes import FileRefusedError

BLOCK_BYTES = 1024 * 1024
MAX_FOOTER_BYTES = 16 * 1024 * 1024
"""The footer of a Parquet file is decoded as a whole."""
_PARQUET = b"PAR1"
# What other kinds of files begin with, and what to do about each.
_SIGNATURES = {
    _PARQUET: "is Parquet, and workload.yaml declares another format for its name; send that format",
    b"\x1f\x8b": "is compressed with gzip; send it uncompressed",
    b"PK\x03\x04": "is a ZIP archive or a spreadsheet; send CSV or JSON lines",
    b"\xff\xfe": "is UTF-16; send UTF-8",
    b"\xfe\xff": "is UTF-16; send UTF-8",
}


class FileCopy(NamedTuple):
    """A copy on the disk."""

    path: Path
    sha256: str
    bytes: int


@contextmanager
def copied(body: IO[bytes], max_megabytes: int, *, parquet: bool = False) -> Iterator[FileCopy]:
    """Copies a file, and checks it on the way; the copy is deleted when the block ends.

    Args:
        body: The file.
        max_megabytes: A larger file is refused.
        parquet: Whether it has to be Parquet; else text.

    Raises:
        FileRefusedError: It is too large, empty, not text in UTF-8 or not Parquet, or its end is missing (the last line
            break, the footer): then it may have been cut off.
    """
    with tempfile.NamedTemporaryFile(prefix="nightjar-drop-") as file:
        checks: _Checks = _ParquetChecks() if parquet else _TextChecks()
        digest = hashlib.sha256()
        size = 0
        while block := body.read(BLOCK_BYTES):
            size += len(block)
            if size > max_megabytes * 1024 * 1024:
                raise FileRefusedError(f"has more than {max_megabytes} MiB; split it")
            checks.add(block)
            digest.update(block)
            file.write(block)
        checks.finish()
        file.flush()
        yield FileCopy(Path(file.name), digest.hexdigest(), size)


class _Checks(Protocol):
    """Checks the bytes of a file block by block."""

    def add(self, block: bytes) -> None:
        """Checks the next block."""

    def finish(self) -> None:
        """Checks the end."""


class _ParquetChecks:
    """Checks that a file begins like Parquet, and ends with a footer that can be decoded."""

    def __init__(self) -> None:
        self._begins, self._ends = b"", b""

    def add(self, block: bytes) -> None:
        """Checks the next block."""
        if len(self._begins) < len(_PARQUET):
            self._begins = (self._begins + block)[: len(_PARQUET)]
            if not _PARQUET.startswith(self._begins):
                raise FileRefusedError("is not Parquet, which workload.yaml declares for its name; send Parquet")
        self._ends = (self._ends + block)[-8:]

    def finish(self) -> None:
        """Checks the end: the length of the footer, then the signature again."""
        if not self._begins:
            raise FileRefusedError("is empty")
        if self._ends[4:] != _PARQUET:
            raise FileRefusedError("does not end like Parquet, so it may be cut off; send it again")
        if (length := int.from_bytes(self._ends[:4], "little")) > MAX_FOOTER_BYTES:
            raise FileRefusedError(f"has a footer of {length} bytes, more than {MAX_FOOTER_BYTES}; split it")


class _TextChecks:
    """Checks the bytes of a text block by block."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._size = 0
        self._last = b""

    def add(self, block: bytes) -> None:
        """Checks the next block."""
        if not self._size:
            for signature, text in _SIGNATURES.items():
                if block.startswith(signature):
                    raise FileRefusedError(text)
        if (place := block.find(0)) >= 0:
            raise FileRefusedError(f"is not text: byte {self._size + place} is zero")
        self._decode(block)
        self._size += len(block)
        self._last = block[-1:]

    def finish(self) -> None:
        """Checks the end."""
        if not self._size:
            raise FileRefusedError("is empty")
        self._decode(b"", final=True)
        if self._last != b"\n":
            raise FileRefusedError("does not end with a line break, so it may be cut off; end its last line with one")

    def _decode(self, block: bytes, *, final: bool = False) -> None:
        pending = len(self._decoder.getstate()[0])  # bytes of a character that the block before has begun
        try:
            self._decoder.decode(block, final)
        except UnicodeDecodeError as error:
            place = self._size - pending + error.start
            raise FileRefusedError(f"is not UTF-8: {error.reason} at byte {place}; send UTF-8") from None
