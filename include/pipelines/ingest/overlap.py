"""Which rows of a table's overlap are in raw already: a set of digests, kept in the lake between runs."""

from __future__ import annotations

import base64
import hashlib
from bisect import bisect_left
from typing import Any

from include.pipelines.protocols import TableRow

DIGEST_BYTES = 16


def row_digest(row: TableRow) -> bytes:
    """Returns a digest of a row's content, 16 bytes."""
    return hashlib.sha256(row.text.encode()).digest()[:DIGEST_BYTES]


class DigestSet:
    """A set of digests in 16 bytes each: a million rows take 16 MB.

    Args:
        digests: In any order.
    """

    def __init__(self, digests: list[bytes]) -> None:
        self._sorted = b"".join(sorted(set(digests)))

    def __len__(self) -> int:
        return len(self._sorted) // DIGEST_BYTES

    def __contains__(self, digest: bytes) -> bool:
        index = bisect_left(range(len(self)), digest, key=self._at)
        return index < len(self) and self._at(index) == digest

    def document(self) -> dict[str, str]:
        """Returns the set as a JSON document."""
        return {"digests": base64.b64encode(self._sorted).decode()}

    @classmethod
    def of(cls, document: Any | None) -> DigestSet:
        """Returns the set of a document; None is the empty set."""
        result = cls([])
        result._sorted = base64.b64decode(document["digests"]) if document else b""
        return result

    def _at(self, index: int) -> bytes:
        return self._sorted[index * DIGEST_BYTES : (index + 1) * DIGEST_BYTES]
