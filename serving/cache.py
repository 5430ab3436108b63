"""The first-level cache: this worker's predictions. Nothing expires, because the model never changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from hashlib import sha256
from typing import Any

import msgspec

# A record may be as large as a body. Longer keys are replaced by their digest, which limits the cache to some 10 MB.
LONGEST_KEY = 1024

_pack = msgspec.msgpack.Encoder().encode


def record_key(record: Mapping[str, Any]) -> bytes:
    """Returns the canonical bytes of a clean record, whose fields are in schema order.

    They contain the names, because a request may give other fields in place of the record: the features.

    Python considers 1, 1.0 and True equal, and 0.0 and -0.0 too, but ``features()`` may distinguish them; MessagePack
    encodes each differently. The second-level cache (``serving.redis_cache``) hashes the same bytes.
    """
    packed = _pack(record)
    return packed if len(packed) <= LONGEST_KEY else sha256(packed).digest()


class AnswerCache:
    """Probability by key; when full, the least recently used is dropped. Not thread-safe. Every operation is O(1).

    Args:
        entries: Capacity; 0 keeps nothing.
    """

    def __init__(self, entries: int) -> None:
        self._entries = entries
        self._answers: OrderedDict[Hashable, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._answers)

    def get(self, key: Hashable) -> float | None:
        """Returns the probability and marks it as the most recently used, or returns None."""
        answer = self._answers.get(key)
        if answer is not None:
            self._answers.move_to_end(key)
        return answer

    def put(self, key: Hashable, value: float) -> None:
        """Keeps a probability as the most recently used; when full, the least recently used is dropped."""
        self._answers[key] = value
        self._answers.move_to_end(key)
        if len(self._answers) > self._entries:
            self._answers.popitem(last=False)
