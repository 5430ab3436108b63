"""The ``tar.gz`` of a bundle: written so that its bytes depend on names and contents only, read without trusting it."""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import tarfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, cast

from include.model.errors import BundleError

# A forest of five million nodes is 0.5 GB as model.joblib and as much again in its fast form.
MAX_UNPACKED_BYTES = 4 << 30
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_CHUNK_BYTES = 1 << 20


class _BoundedReader:
    """Reads a stream up to a limit, so that a decompression bomb ends with an error."""

    def __init__(self, stream: gzip.GzipFile, max_bytes: int) -> None:
        self._stream, self._max_bytes, self._left = stream, max_bytes, max_bytes

    def read(self, size: int) -> bytes:
        data = self._stream.read(min(size, self._left + 1))
        self._left -= len(data)
        if self._left < 0:
            raise BundleError(f"The archive unpacks to more than {self._max_bytes} bytes, the limit of a bundle")
        return data


def sha256_hex(data: bytes) -> str:
    """Returns the sha256 in lower-case hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def write(files: Mapping[str, bytes], order: Sequence[str]) -> bytes:
    """Packs ``files`` in this order as a ``tar.gz`` without times and owners."""
    packed = io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=packed, compresslevel=6, mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name in order:
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.mtime = len(files[name]), 0o644, 0
            archive.addfile(info, io.BytesIO(files[name]))
    return packed.getvalue()


def members(packed: IO[bytes], max_bytes: int) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Iterates over the regular files of a ``tar.gz``, in the archive's order.

    If iteration stops early, the rest of the archive is unverified.

    Args:
        packed: The archive. It is read once, from its current position.
        max_bytes: Limit of the unpacked size, tar headers included.

    Yields:
        The name, and the content in pieces. Pieces that are not consumed are skipped.

    Raises:
        BundleError: The archive is damaged or larger than ``max_bytes``, or contains a link, a device, a sub-folder, a
            name twice, or an invalid name.
    """
    with _as_bundle_errors(), gzip.GzipFile(fileobj=packed) as unzipped:
        stream = _BoundedReader(unzipped, max_bytes)
        seen: set[str] = set()
        # tarfile calls only read() on a stream opened with r|, although its type requires IO[bytes].
        with tarfile.open(fileobj=cast("IO[bytes]", stream), mode="r|") as archive:
            for member in archive:
                name = member.name.removeprefix("./")
                if member.isdir() and name in ("", "."):
                    continue
                _check(member, name, seen)
                seen.add(name)
                yield name, _pieces(archive, member)
        # The check sum of gzip is at the very end.
        while stream.read(_CHUNK_BYTES):
            pass


def _pieces(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[bytes]:
    with _as_bundle_errors():
        content = archive.extractfile(member)
        while content is not None and (piece := content.read(_CHUNK_BYTES)):
            yield piece


@contextmanager
def _as_bundle_errors() -> Iterator[None]:
    try:
        yield
    except BundleError:
        raise
    except (OSError, EOFError, zlib.error) as error:
        raise BundleError(f"The archive is not a readable gzip file: {error}") from None
    except (tarfile.TarError, ValueError, OverflowError, RecursionError) as error:
        raise BundleError(f"The archive is not a readable tar file: {error}") from None


def _check(member: tarfile.TarInfo, name: str, seen: set[str]) -> None:
    # A sparse file claims a size that its archive does not have.
    if not member.isreg() or member.issparse():
        raise BundleError(f"The archive contains {member.name!r}, which is not a regular file")
    if not _NAME.fullmatch(name):
        raise BundleError(
            f"The archive contains the name {member.name!r}: a name has at most 100 letters, digits, '_', '.' and '-', "
            "and does not begin with '.' or '-'"
        )
    if name in seen:
        raise BundleError(f"The archive contains {name!r} twice")
