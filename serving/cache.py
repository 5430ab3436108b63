"""The first-level cache: answers of this process, least recently used first out. Its model never changes, so nothing expires."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from hashlib import sha256
from typing import Any

import msgspec

# A record may be as large as a body; its digest bounds what the cache can hold to some ten megabytes.
LONGEST_KEY = 1024

_pack = msgspec.msgpack.Encoder().encode


def record_key(record: Mapping[str, Any]) -> bytes:
    """The canonical form of a clean record, whose fields are in schema order.

    Python holds 1, 1.0, True and 0.0, -0.0 for equal, but ``features()`` may tell them apart: MessagePack writes
    each differently. It is also a tenth of the values' own size, and the second level (``serving.redis_cache``)
    hashes the same bytes.
    """
    packed = _pack(list(record.values()))
    return packed if len(packed) <= LONGEST_KEY else sha256(packed).digest()


class AnswerCache:
    """Probability by key. Every operation is O(1). For the event loop's thread only: there is no lock."""

    def __init__(self, entries: int) -> None:
        """``entries``: most answers kept; 0 keeps none."""
        self._entries = entries
        self._answers: OrderedDict[Hashable, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._answers)

    def get(self, key: Hashable) -> float | None:
        """The answer, which becomes the youngest, or None."""
        answer = self._answers.get(key)
        if answer is not None:
            self._answers.move_to_end(key)
        return answer

    def put(self, key: Hashable, value: float) -> None:
        """Keeps the answer as the youngest; the oldest gives way."""
        self._answers[key] = value
        self._answers.move_to_end(key)
        if len(self._answers) > self._entries:
            self._answers.popitem(last=False)
