"""``training_keys.bin``: which keys a model has seen, as digests, so that a bundle contains no key in clear text."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

_DTYPE = np.dtype("<u8")


def key_digests(keys: Iterable[str]) -> np.ndarray:
    """Computes the first 8 bytes of each key's sha256, little endian.

    By the birthday bound, two of n keys collide with a probability of about n² / 2⁶⁵: 3e-8 for a million keys.

    Returns:
        uint64 array of shape (distinct digests,), sorted.
    """
    joined = b"".join(hashlib.sha256(key.encode()).digest()[: _DTYPE.itemsize] for key in keys)
    return np.unique(np.frombuffer(joined, dtype=_DTYPE))


def to_bytes(digests: np.ndarray) -> bytes:
    """Formats digests as ``training_keys.bin``."""
    return digests.astype(_DTYPE).tobytes()


def from_bytes(data: bytes) -> np.ndarray:
    """Parses ``training_keys.bin``.

    Returns:
        uint64 array of shape (digests,), sorted.

    Raises:
        ValueError: The length is not a multiple of 8 bytes.
    """
    return np.frombuffer(data, dtype=_DTYPE)
