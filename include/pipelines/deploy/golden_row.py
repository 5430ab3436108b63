"""Reads a golden row of a bundle in S3, and checks the bundle against the digest that was registered."""

from __future__ import annotations

import hashlib
import json
import tarfile
from typing import IO, Any, TypedDict, cast

from include.lake.uris import split_s3_uri
from include.model.files import GOLDEN
from include.pipelines.deploy.faults import VersionFaultError
from include.pipelines.protocols import ObjectStore

_CHUNK_BYTES = 1 << 20


class GoldenRequest(TypedDict):
    """A request of the bundle, with the prediction that the model made in training."""

    request: dict[str, Any]
    probability: float
    prediction: int


class _HashingReader:
    """Computes the sha256 of a stream while somebody reads it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._sha256 = stream, hashlib.sha256()

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._sha256.update(data)
        return data

    def sha256_of_all(self) -> str:
        """Reads the rest, and returns the sha256 in lower-case hexadecimal."""
        while self.read(_CHUNK_BYTES):
            pass
        return self._sha256.hexdigest()


def read_golden_row(objects: ObjectStore, bundle_uri: str, bundle_digest: str) -> GoldenRequest:
    """Reads the first golden row of a bundle. The archive is read as a stream, because it may be large.

    Raises:
        VersionFaultError: The bundle is not the registered one, or holds no golden row.
    """
    body = _HashingReader(objects.open(*split_s3_uri(bundle_uri)))
    row, problem = None, f"it holds no {GOLDEN}"
    try:
        row = _first_row(body)
    except (tarfile.TarError, EOFError, ValueError) as error:
        problem = str(error)
    found = body.sha256_of_all()
    if found != bundle_digest:
        raise VersionFaultError(
            f"{bundle_uri} was altered after it was registered: its sha256 is {found}, not {bundle_digest}. Restore "
            "the object's earlier version, or train again."
        )
    if row is None:
        raise VersionFaultError(f"{bundle_uri} is not a Nightjar bundle: {problem}. Train again.")
    return row


def _first_row(body: _HashingReader) -> GoldenRequest | None:
    with tarfile.open(fileobj=cast("IO[bytes]", body), mode="r|gz") as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.removeprefix("./") == GOLDEN else None
            if file:
                row: GoldenRequest = json.loads(file.readline())
                return row
    return None
