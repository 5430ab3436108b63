"""The checksums of S3's ``x-amz-checksum-*`` headers."""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
from collections.abc import Callable, Sequence
from typing import Protocol

from infra.localcloud.s3 import crc
from infra.localcloud.s3.errors import S3Error

# The algorithm's name in the API and the number of bytes of its value.
SIZES = {"CRC32": 4, "CRC32C": 4, "CRC64NVME": 8, "SHA1": 20, "SHA256": 32}
HEADERS = {f"x-amz-checksum-{name.lower()}": name for name in SIZES}


class Checksum(Protocol):
    """A checksum in the making, like an object of hashlib."""

    def update(self, data: bytes, /) -> None:
        """Continues with more data."""

    def digest(self) -> bytes:
        """Returns the value so far."""


class _Crc:
    def __init__(self, width: int, continued: Callable[[int, bytes], int]) -> None:
        self._width = width
        self._continued = continued
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = self._continued(self._value, data)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._width, "big")


def start(algorithm: str) -> Checksum:
    """Starts a checksum.

    Raises:
        S3Error: S3 has no such algorithm.
    """
    match algorithm:
        case "CRC32":
            return _Crc(4, lambda value, data: zlib.crc32(data, value))
        case "CRC32C":
            return _Crc(4, crc.crc32c().update)
        case "CRC64NVME":
            return _Crc(8, crc.crc64nvme().update)
        case "SHA1":
            return hashlib.sha1(usedforsecurity=False)
        case "SHA256":
            return hashlib.sha256()
    raise S3Error(
        "InvalidRequest",
        "Checksum algorithm provided is unsupported. Please try again with any of the "
        "valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]",
    )


def text(value: bytes) -> str:
    """A checksum as it stands in headers."""
    return base64.b64encode(value).decode()


def decode(header: str, value: str, size: int, code: str = "InvalidRequest") -> bytes:
    """Decodes a checksum from a header.

    Raises:
        S3Error: The value is not base64 of the right length.
    """
    try:
        decoded = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    if len(decoded) != size:
        raise S3Error(code, None if code == "InvalidDigest" else f"Value for {header} header is invalid.")
    return decoded


def composite(algorithm: str, parts: Sequence[str]) -> str:
    """The checksum of a multipart object from those of its parts: a checksum of checksums."""
    whole = start(algorithm)
    for part in parts:
        whole.update(base64.b64decode(part))
    return f"{text(whole.digest())}-{len(parts)}"


def joined(algorithm: str, parts: Sequence[tuple[str, int]]) -> str:
    """The CRC of a whole multipart object, from the CRC and the length of each of its parts."""
    made = {"CRC32": crc.crc32, "CRC32C": crc.crc32c, "CRC64NVME": crc.crc64nvme}[algorithm]()
    value = 0
    for part, length in parts:
        value = made.combine(value, int.from_bytes(base64.b64decode(part), "big"), length)
    return text(value.to_bytes(made.width, "big"))
