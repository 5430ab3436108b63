"""Receives the body of a put: decoded, hashed and written to a file block by block, and refused if it is not intact."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from infra.localcloud.s3 import checksums, chunked
from infra.localcloud.s3.bodies import Bodies, Body
from infra.localcloud.s3.errors import S3Error
from infra.localcloud.s3.request import MAX_DOCUMENT, S3Request

MAX_PUT = 5 * 1024**3


@dataclass
class Received:
    """A body that arrived whole. The file goes unless the caller keeps it.

    Attributes:
        body: The file.
        size: Its length.
        md5: Its MD5 in hexadecimal digits.
        algorithm: The checksum's algorithm, or "".
        checksum: The checksum as it stands in headers, or "".
    """

    body: Body
    size: int
    md5: str
    algorithm: str
    checksum: str


class _Verifier:
    """All hashes that a request announces, and their comparison when the body is complete."""

    def __init__(self, request: S3Request) -> None:
        headers = self._headers = request.headers
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._expected_md5 = (
            checksums.decode("Content-MD5", headers["content-md5"], 16, "InvalidDigest")
            if "content-md5" in headers
            else None
        )
        payload = headers.get("x-amz-content-sha256", "")
        self._payload = payload.lower() if len(payload) == 64 else ""
        self._sha256 = hashlib.sha256() if self._payload else None
        self.trailers: dict[str, str] = {}
        self.algorithm = self._algorithm()
        self._checksum = checksums.start(self.algorithm) if self.algorithm else None
        self.size = 0
        self._hashes: list[Any] = [hash_ for hash_ in (self._md5, self._sha256, self._checksum) if hash_]
        if self.algorithm == "SHA256" and self._sha256:
            self._hashes.remove(self._checksum)
            self._checksum = self._sha256
        length = headers.get("x-amz-decoded-content-length") or headers.get("content-length")
        self._length = _number(length) if length is not None else None

    def _algorithm(self) -> str:
        headers = self._headers
        given = [name for name in checksums.HEADERS if name in headers]
        trailer = [name.strip().lower() for name in headers.get("x-amz-trailer", "").split(",")]
        given += [name for name in trailer if name in checksums.HEADERS]
        if len(given) > 1:
            raise S3Error(
                "InvalidRequest", "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
            )
        named = headers.get("x-amz-sdk-checksum-algorithm", "").upper()
        algorithm = checksums.HEADERS[given[0]] if given else ""
        if named and not given:
            raise S3Error(
                "InvalidRequest",
                "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* "
                "or x-amz-trailer headers were found.",
            )
        if named and named != algorithm:
            raise S3Error("InvalidRequest", "Value for x-amz-sdk-checksum-algorithm header is invalid.")
        return algorithm

    def update(self, block: bytes) -> None:
        for hash_ in self._hashes:
            hash_.update(block)
        self.size += len(block)
        if self.size > MAX_PUT:
            raise S3Error("EntityTooLarge", MaxSizeAllowed=str(MAX_PUT), ProposedSize=str(self.size))

    def verify(self) -> tuple[str, str]:
        """Compares; returns the MD5 and the checksum."""
        if self._length is not None and self.size != self._length:
            raise S3Error("IncompleteBody")
        if self._expected_md5 is not None and self._md5.digest() != self._expected_md5:
            raise S3Error(
                "BadDigest",
                ExpectedDigest=self._headers["content-md5"],
                CalculatedDigest=checksums.text(self._md5.digest()),
            )
        if self._sha256 and self._sha256.hexdigest() != self._payload:
            raise S3Error(
                "XAmzContentSHA256Mismatch",
                ClientComputedContentSHA256=self._payload,
                S3ComputedContentSHA256=self._sha256.hexdigest(),
            )
        return self._md5.hexdigest(), self._verify_checksum()

    def _verify_checksum(self) -> str:
        if not self._checksum:
            return ""
        value = self._checksum.digest()
        header = f"x-amz-checksum-{self.algorithm.lower()}"
        announced = self.trailers.get(header) or self._headers.get(header)
        if announced is not None and checksums.decode(header, announced, len(value)) != value:
            raise S3Error("BadDigest", f"The {self.algorithm} you specified did not match the calculated checksum.")
        return checksums.text(value)


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise S3Error("InvalidArgument", "The length is not a number") from None


def _blocks(request: S3Request, trailers: dict[str, str]) -> Iterator[bytes]:
    encoded = request.headers.get("x-amz-content-sha256", "").startswith("STREAMING-")
    encoded = encoded or "aws-chunked" in request.headers.get("content-encoding", "")
    return chunked.decode(request.stream, trailers) if encoded else chunked.plain(request.stream)


@contextmanager
def receive(request: S3Request, bodies: Bodies) -> Iterator[Received]:
    """Receives a body into a file; the file is removed when the block ends, unless it was kept.

    Raises:
        S3Error: The body is not what the headers announce; nothing is stored.
    """
    if "content-length" not in request.headers and "x-amz-decoded-content-length" not in request.headers:
        raise S3Error("MissingContentLength")
    verifier = _Verifier(request)
    with bodies.create() as body:
        for block in _blocks(request, verifier.trailers):
            verifier.update(block)
            body.write(block)
        md5, checksum = verifier.verify()
        yield Received(body, verifier.size, md5, verifier.algorithm, checksum)


def document(request: S3Request) -> bytes:
    """Receives a body that is parsed: a document of at most some MiB.

    Raises:
        S3Error: The body is not what the headers announce, or is too long.
    """
    verifier = _Verifier(request)
    collected = bytearray()
    for block in _blocks(request, verifier.trailers):
        verifier.update(block)
        collected += block
        if len(collected) > MAX_DOCUMENT:
            raise S3Error("EntityTooLarge", MaxSizeAllowed=str(MAX_DOCUMENT), ProposedSize=str(len(collected)))
    verifier.verify()
    return bytes(collected)
