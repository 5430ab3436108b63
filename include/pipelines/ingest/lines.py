"""JSON lines, compressed as they are added, so that memory holds only the compressed bytes."""

from __future__ import annotations

import gzip
import io
import json
from typing import IO, Any

COMPRESSED_AT = 64 * 1024  # bytes that are compressed together
_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


class GzipLines:
    """Lines in a gzip stream that has neither time stamp nor file name: equal lines give equal bytes."""

    def __init__(self) -> None:
        self._buffer = io.BytesIO()
        self._gzip = gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=self._buffer, mtime=0)
        self._waiting = bytearray()
        self.lines = 0
        self.bytes = 0

    def add(self, line: str) -> None:
        """Adds one line, given without its line end."""
        before = len(self._waiting)
        self._waiting += line.encode()
        self._waiting += b"\n"
        self.lines += 1
        self.bytes += len(self._waiting) - before
        if len(self._waiting) >= COMPRESSED_AT:
            self._compress()

    def finish(self) -> IO[bytes]:
        """Closes the stream and returns it, positioned at its beginning. No line can be added afterwards."""
        self._compress()
        self._gzip.close()
        del self._waiting  # a line that is added now would be lost: it fails
        self._buffer.seek(0)
        return self._buffer

    def _compress(self) -> None:
        self._gzip.write(self._waiting)
        self._waiting.clear()


def json_line(value: Any) -> str:
    """Formats a JSON value on one line.

    Raises:
        ValueError: The value contains NaN or an infinity.
    """
    return _ENCODER.encode(value)
