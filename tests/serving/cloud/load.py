"""A steady load through a load balancer, every answer checked."""

from __future__ import annotations

import http.client
import json
import math
import threading
from collections import Counter
from collections.abc import Mapping

KEPT, FRESH = 8, 2
CONNECTIONS = KEPT + FRESH
PERIOD_SECONDS = 0.06  # of one connection: with all ten, about 160 requests a second
# Longer than a wedged task can hold a request before it is killed, so that each request of it is counted once.
TIMEOUT_SECONDS = 60.0


class Load:
    """Ten clients in closed loop, ``KEPT`` on one connection each and ``FRESH`` with a new connection for every request.

    ``expected`` maps request bodies to the probability that every right answer to them has. An answer that is not 200,
    not this probability or of a version outside ``versions`` is a failure, and so is a connection that ends without one.
    """

    def __init__(self, port: int, expected: Mapping[bytes, float], versions: set[str]) -> None:
        self._port = port
        self._expected = list(expected.items())
        self._versions = versions
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=[number < KEPT, number]) for number in range(CONNECTIONS)
        ]
        self._lock = threading.Lock()
        self._answers: list[str] = []
        self.failures: list[str] = []

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def mark(self) -> int:
        """How many answers there are by now, a place to count from."""
        with self._lock:
            return len(self._answers)

    def counts(self, since: int = 0) -> Counter[str]:
        """Right answers by version, from the place ``since`` on."""
        with self._lock:
            return Counter(self._answers[since:])

    def _run(self, keep: bool, number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT_SECONDS)
        while not self._stop.wait(PERIOD_SECONDS):
            number += 1
            body, probability = self._expected[number % len(self._expected)]
            outcome, failure = self._ask(connection, body, probability)
            with self._lock:
                (self.failures if failure else self._answers).append(outcome)
            if failure or not keep:
                connection.close()
        connection.close()

    def _ask(self, connection: http.client.HTTPConnection, body: bytes, probability: float) -> tuple[str, bool]:
        """The version that answered rightly and False, or what went wrong and True."""
        try:
            connection.request("POST", "/predict", body, {"content-type": "application/json"})
            response = connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException) as error:
            return repr(error), True
        if response.status != 200:
            return f"HTTP {response.status} {text[:200]!r}", True
        answer = json.loads(text)
        version = answer["model_version"]
        right = version in self._versions and math.isclose(answer["probability"], probability, abs_tol=1e-6)
        return (version, False) if right else (f"wrong answer {answer}", True)
