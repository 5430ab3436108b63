"""JSON lines, compressed as they are added, so that memory holds only the compressed bytes."""

from __future__ import annotations

import gzip
import io
import json
from typing import IO, Any

_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


class GzipLines:
    """Lines in a gzip stream that has neither time stamp nor file name: equal lines give equal bytes."""

    def __init__(self) -> None:
        self._buffer = io.BytesIO()
        self._gzip = gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=self._buffer, mtime=0)
        self.lines = 0
        self.bytes = 0

    def add(self, line: str) -> None:
        """Adds one line, given without its line end."""
        encoded = line.encode() + b"\n"
        self._gzip.write(encoded)
        self.lines += 1
        self.bytes += len(encoded)

    def finish(self) -> IO[bytes]:
        """Closes the stream and returns it, positioned at its beginning. No line can be added afterwards."""
        self._gzip.close()
        self._buffer.seek(0)
        return self._buffer


def json_line(value: Any) -> str:
    """Formats a JSON value on one line.

    Raises:
        ValueError: The value contains NaN or an infinity.
    """
    return _ENCODER.encode(value)
