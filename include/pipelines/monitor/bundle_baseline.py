"""Reads ``baseline.json`` out of a packed bundle, without the libraries that load a model.

The archive is read once, in pieces: its digest has to be the registered one, and the baseline's that of the manifest.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
from typing import IO, Any, cast

from include.errors import RefusedError
from include.model.baseline import FORMAT, Baseline
from include.model.files import BASELINE, MANIFEST

_PIECE = 1 << 20
_LARGEST = 64 << 20  # of manifest and baseline


class _Hashed:
    """A stream that computes the sha256 of what is read from it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.sha256 = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        piece = self._stream.read(size if size and size > 0 else _PIECE)
        self.sha256.update(piece)
        return piece


def read_baseline(packed: IO[bytes], bundle_digest: str) -> bytes | None:
    """Returns the baseline of a bundle as it is in the archive; None if the bundle is older than that.

    Args:
        packed: The archive.
        bundle_digest: The sha256 that it must have.

    Raises:
        RefusedError: The bundle is not the registered one, or its baseline not the one of its manifest.
    """
    stream = _Hashed(packed)
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=cast("IO[bytes]", stream), mode="r|gz") as archive:
            for member in archive:
                name = member.name.removeprefix("./")
                if name not in (MANIFEST, BASELINE):
                    continue
                content = archive.extractfile(member)
                if content is None or member.size > _LARGEST:
                    raise RefusedError(f"{name} of the live bundle cannot be read: deploy another version.")
                found[name] = content.read()
    except (tarfile.TarError, EOFError, OSError) as error:
        raise RefusedError(f"The live bundle is not a readable archive: {error}. Deploy another version.") from None
    while stream.read(_PIECE):
        pass
    if stream.sha256.hexdigest() != bundle_digest:
        raise RefusedError(
            f"The live bundle has the sha256 {stream.sha256.hexdigest()}, but {bundle_digest} is registered: it was "
            "altered. Restore the object's earlier version in S3."
        )
    if BASELINE not in found:
        return None
    named: Any = json.loads(found.get(MANIFEST, b"{}")).get("files", {}).get(BASELINE, {})
    if hashlib.sha256(found[BASELINE]).hexdigest() != named.get("sha256"):
        raise RefusedError(f"{BASELINE} of the live bundle is not the one that its manifest names. Train again.")
    return found[BASELINE]


def parse_baseline(data: bytes, sha256: str) -> Baseline | None:
    """Parses a baseline; None if it has another format than this code knows.

    Raises:
        RefusedError: It is not the one that was read from the bundle.
    """
    if hashlib.sha256(data).hexdigest() != sha256:
        raise RefusedError("The copy of the baseline was altered. Delete it below monitor/, and clear the task plan.")
    document = json.loads(data)
    return cast("Baseline", document) if document.get("format") == FORMAT else None
