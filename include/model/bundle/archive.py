"""The ``tar.gz`` of a bundle: written so that it depends on names and contents only, read as a stream and with suspicion."""

from __future__ import annotations

import gzip
import io
import re
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from typing import IO

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_CHUNK = 1 << 20


class BundleError(ValueError):
    """A bundle is damaged, was altered, or is not a bundle; nothing of it has been run."""


class _Bounded:
    """What a tar reader reads from: ends with an error where a bomb would go on."""

    def __init__(self, stream: IO[bytes], most: int) -> None:
        self._stream, self._most, self._left = stream, most, most

    def read(self, size: int) -> bytes:
        data = self._stream.read(min(size, self._left + 1))
        self._left -= len(data)
        if self._left < 0:
            raise BundleError(f"The archive unpacks to more than {self._most} bytes")
        return data


def write(files: Mapping[str, bytes], order: list[str]) -> bytes:
    """A ``tar.gz`` of ``files`` in this order, with no times and no owners."""
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
    """``(name, pieces of the content)`` of each regular file, in the archive's order; pieces not taken are passed over.

    Refuses links, devices, sub-folders, names that lead elsewhere or come twice, and bombs. Who stops early has no word on the
    rest of the archive. Errors: :class:`BundleError`.
    """
    seen: set[str] = set()
    try:
        with gzip.GzipFile(fileobj=packed) as unzipped:
            stream = _Bounded(unzipped, max_bytes)
            with tarfile.open(fileobj=stream, mode="r|") as archive:
                for member in archive:
                    name = member.name.removeprefix("./")
                    if member.isdir() and name in ("", "."):
                        continue
                    _check(member, name)
                    if name in seen:
                        raise BundleError(f"The archive holds {name!r} twice")
                    seen.add(name)
                    content = archive.extractfile(member)
                    yield name, iter(lambda content=content: content.read(_CHUNK), b"")
            # The check sum is at the very end.
            while stream.read(_CHUNK):
                pass
    except BundleError:
        raise
    except (OSError, EOFError, zlib.error) as error:
        raise BundleError(f"The archive is no readable gzip: {error}") from None
    except (tarfile.TarError, ValueError, OverflowError, RecursionError) as error:
        raise BundleError(f"The archive is no readable tar: {error}") from None


def _check(member: tarfile.TarInfo, name: str) -> None:
    # A sparse file claims a size that its archive does not have.
    if not member.isreg() or member.issparse():
        raise BundleError(f"The archive holds {member.name!r}, which is not a regular file")
    if not _NAME.fullmatch(name):
        raise BundleError(f"The archive holds the name {member.name!r}, which leads out of the bundle")
