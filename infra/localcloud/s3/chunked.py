"""Decodes ``Content-Encoding: aws-chunked`` while it is received: sizes, chunk signatures and trailers are removed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from infra.localcloud.s3.errors import S3Error

_LINE = 8 * 1024
_BLOCK = 1 << 20


def plain(stream: IO[bytes]) -> Iterator[bytes]:
    """Yields a body that is not encoded, in blocks."""
    while block := _read(stream, _BLOCK):
        yield block


def decode(stream: IO[bytes], trailers: dict[str, str]) -> Iterator[bytes]:
    """Yields the decoded body in blocks.

    Args:
        stream: The encoded body.
        trailers: Receives the trailing headers, with names in lower case, after the last block.

    Raises:
        S3Error: The body ends too early or is not encoded as announced.
    """
    while size := _size(stream):
        while size:
            block = _read(stream, min(size, _BLOCK))
            if not block:
                raise S3Error("IncompleteBody")
            size -= len(block)
            yield block
        if _line(stream):
            raise S3Error("IncompleteBody")
    # Over TLS the trailers end with an empty line; some clients leave it out.
    while line := _line(stream, optional=True):
        name, _, value = line.partition(b":")
        trailers[name.strip().lower().decode("latin-1")] = value.strip().decode("latin-1")


def _read(stream: IO[bytes], size: int) -> bytes:
    try:
        return stream.read(size)
    except (OSError, ValueError):
        raise
    except Exception:  # werkzeug's stream raises one of its HTTP errors when the client stops early
        raise S3Error("IncompleteBody") from None


def _line(stream: IO[bytes], *, optional: bool = False) -> bytes:
    try:
        line = stream.readline(_LINE)
    except Exception:  # as in _read
        line = b""
    if not line.endswith(b"\n") and not optional:
        raise S3Error("IncompleteBody")
    return line.strip()


def _size(stream: IO[bytes]) -> int:
    text = _line(stream).partition(b";")[0]
    try:
        return int(text, 16)
    except ValueError:
        raise S3Error("IncompleteBody") from None
