"""A request's body against the hashes in its signature: whole, or chunk by chunk."""

from __future__ import annotations

import hashlib
import hmac
import io
from collections.abc import Callable

from infra.localcloud.errors import LocalCloudError

EMPTY = hashlib.sha256(b"").hexdigest()
MISMATCH = "The provided 'x-amz-content-sha256' header does not match what was computed."
_LINE = 4096
CHUNK_LIMIT = 64 * 1024 * 1024


class PayloadError(LocalCloudError):
    """The body is not the one that was signed.

    Attributes:
        code: S3's error code.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class HashedBody(io.RawIOBase):
    """A body that is hashed while it is read. The last bytes are handed out only if the hash is right.

    Attributes:
        failure: Set when the hash was wrong. The reader may hide the exception, so the middleware looks here.
    """

    def __init__(self, body: io.RawIOBase, length: int, expected: str) -> None:
        self._body = body
        self._left = length
        self._expected = expected
        self._hash = hashlib.sha256()
        self.failure: PayloadError | None = None

    def readable(self) -> bool:
        """Always."""
        return True

    def read(self, size: int | None = -1) -> bytes:
        """Reads at most ``size`` bytes.

        Raises:
            PayloadError: The body ends here, and its hash is wrong.
        """
        if self.failure:
            raise self.failure
        if self._left <= 0 or size == 0:
            return b""
        data: bytes = self._body.read(self._left if size is None or size < 0 else min(size, self._left)) or b""
        self._hash.update(data)
        self._left = self._left - len(data) if data else 0
        if self._left <= 0 and self._hash.hexdigest() != self._expected:
            self.failure = PayloadError("XAmzContentSHA256Mismatch", MISMATCH)
            raise self.failure
        return data

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed asks for any writable buffer
        """Reads into a buffer."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class SignedChunks(io.RawIOBase):
    """A body in aws-chunked encoding, passed on as it is; each chunk's signature is checked before it is handed out.

    Attributes:
        failure: As of :class:`HashedBody`.

    Args:
        body: The body.
        seed: The signature of the headers.
        string_to_sign: The first lines of each chunk's string to sign: algorithm, time and scope.
        sign: Signs a string to sign.
    """

    def __init__(self, body: io.RawIOBase, seed: str, string_to_sign: str, sign: Callable[[str], str]) -> None:
        self._body = io.BufferedReader(body)
        self._previous = seed
        self._prefix = string_to_sign
        self._sign = sign
        self._ready = b""
        self._ended = False
        self.failure: PayloadError | None = None

    def readable(self) -> bool:
        """Always."""
        return True

    def read(self, size: int | None = -1) -> bytes:
        """Reads at most ``size`` bytes.

        Raises:
            PayloadError: A chunk has a wrong signature or form.
        """
        if self.failure:
            raise self.failure
        wanted = float("inf") if size is None or size < 0 else size
        parts = [self._ready]
        have = len(self._ready)
        while have < wanted and not self._ended:
            try:
                parts.append(self._chunk())
            except PayloadError as error:
                self.failure = error
                raise
            have += len(parts[-1])
        data = b"".join(parts)
        cut = len(data) if wanted == float("inf") else int(wanted)
        self._ready = data[cut:]
        return data[:cut]

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed asks for any writable buffer
        """Reads into a buffer."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _chunk(self) -> bytes:
        """The next chunk with its header, or after the last one the trailers."""
        header = self._body.readline(_LINE)
        size_text, _, extension = header.partition(b";")
        name, _, signature = extension.strip().partition(b"=")
        try:
            size = int(size_text, 16)
        except ValueError:
            size = -1
        if name != b"chunk-signature" or not 0 <= size <= CHUNK_LIMIT:
            raise PayloadError("IncompleteBody", "The request body terminated unexpectedly")
        data = self._exactly(size)
        signed = "\n".join((self._prefix, self._previous, EMPTY, hashlib.sha256(data).hexdigest()))
        self._previous = self._sign(signed)
        if not hmac.compare_digest(self._previous.encode(), signature):
            raise PayloadError(
                "SignatureDoesNotMatch", "The chunk signature we calculated does not match the signature you provided."
            )
        if size == 0:
            self._ended = True
            return header + (self._body.read() or b"")
        return header + data + self._exactly(2)

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = self._body.read(size - len(data))
            if not more:
                raise PayloadError("IncompleteBody", "The request body terminated unexpectedly")
            data += more
        return data
