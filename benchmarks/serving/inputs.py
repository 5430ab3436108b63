"""Distinct requests with two integer features, from a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass

LENGTHS, KEYWORDS = 10_000, 100
SEED = 20130715


def pairs(count: int, seed: int = SEED) -> list[tuple[int, int]]:
    """Returns ``count`` distinct pairs (text_length, num_keywords) in a seeded order."""
    chosen = random.Random(seed).sample(range(LENGTHS * KEYWORDS), count)
    return [(number // KEYWORDS + 1, number % KEYWORDS) for number in chosen]


@dataclass(frozen=True)
class Form:
    """The form of a contestant's requests.

    Attributes:
        path: Path of the route.
        item: Text of one pair, with two ``%d``.
        prefix: Text before the items.
        suffix: Text after the items.
        rows: Pairs in one request.
        headers: Additional headers.
    """

    path: str = "/predict"
    item: str = '{"text_length": %d, "num_keywords": %d}'
    prefix: str = ""
    suffix: str = ""
    rows: int = 1
    headers: tuple[tuple[str, str], ...] = ()

    def request(self, number: int, inputs: list[tuple[int, int]]) -> bytes:
        """Returns a request as HTTP/1.1 bytes.

        Args:
            number: Number of the request. Its pairs are those from ``number * rows`` on, cyclically.
            inputs: All pairs.
        """
        first = number * self.rows
        chosen = [inputs[(first + step) % len(inputs)] for step in range(self.rows)]
        body = self.prefix + ", ".join(self.item % pair for pair in chosen) + self.suffix
        extra = "".join(f"{name}: {value}\r\n" for name, value in self.headers)
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n{extra}\r\n"
        )
        return (head + body).encode()
