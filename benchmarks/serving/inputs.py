"""Distinct request bodies of two integer features, seeded."""

from __future__ import annotations

import random
from dataclasses import dataclass

LENGTHS, KEYWORDS = 10_000, 100
SEED = 20130715


def pairs(count: int, seed: int = SEED) -> list[tuple[int, int]]:
    """``count`` distinct pairs (text_length, num_keywords) in a seeded order."""
    chosen = random.Random(seed).sample(range(LENGTHS * KEYWORDS), count)
    return [(number // KEYWORDS + 1, number % KEYWORDS) for number in chosen]


@dataclass(frozen=True)
class Form:
    """How a contestant wants a request: ``item`` is filled with a pair, ``prefix`` and ``suffix`` go around ``rows`` of them."""

    path: str = "/predict"
    item: str = '{"text_length": %d, "num_keywords": %d}'
    prefix: str = ""
    suffix: str = ""
    rows: int = 1
    headers: tuple[tuple[str, str], ...] = ()

    def request(self, number: int, inputs: list[tuple[int, int]]) -> bytes:
        """Request ``number`` as HTTP/1.1 bytes; its pairs are ``rows`` from ``number * rows`` on, from the start again after the
        last."""
        first = number * self.rows
        chosen = [inputs[(first + step) % len(inputs)] for step in range(self.rows)]
        body = self.prefix + ", ".join(self.item % pair for pair in chosen) + self.suffix
        extra = "".join(f"{name}: {value}\r\n" for name, value in self.headers)
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n{extra}\r\n"
        )
        return (head + body).encode()
