"""A steady load of predictions, with every answer checked."""

from __future__ import annotations

import http.client
import json
import math
import threading
import time
from collections import Counter
from collections.abc import Mapping

KEPT, FRESH = 8, 2
CONNECTIONS = KEPT + FRESH
PERIOD_SECONDS = 0.1  # pause of one connection: all ten send about 100 requests a second
# Longer than a hung task can keep a request before it is killed, so that each of its requests is counted once.
TIMEOUT_SECONDS = 60.0


class Load:
    """Ten clients in a closed loop: ``KEPT`` keep their connection, ``FRESH`` open a new one for every request.

    Args:
        port: Where the requests are sent.
        expected: The request bodies, and the probability of the right answer to each.
        versions: The versions that may answer.

    Attributes:
        failures: Answers that are not 200, not the expected probability or of another version, and lost connections.
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
        self._begun = Counter[int]()  # client → the requests that it has begun
        self._ended = threading.Condition(self._lock)
        self._ends = Counter[int]()  # client → the requests that have ended
        self._answers: list[str] = []
        self.failures: list[str] = []
        self._failed: list[float] = []  # when the requests that failed were begun

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def mark(self) -> int:
        """The number of right answers so far, to count from."""
        with self._lock:
            return len(self._answers)

    def turn(self) -> None:
        """Waits until each client has begun a request from now on, and that has ended: earlier ones are counted."""
        with self._ended:
            wanted = {client: self._begun[client] + 1 for client in range(CONNECTIONS)}
            over = self._ended.wait_for(
                lambda: all(self._ends[client] >= number for client, number in wanted.items()), 2 * TIMEOUT_SECONDS
            )
        assert over, "a client got no answer"

    def failed_since(self, moment: float) -> int:
        """How many of the requests that were begun after a moment (``time.monotonic()``) have failed."""
        with self._lock:
            return sum(begun > moment for begun in self._failed)

    def counts(self, since: int = 0) -> Counter[str]:
        """Right answers by version, from the mark ``since`` on."""
        with self._lock:
            return Counter(self._answers[since:])

    def _run(self, keep: bool, client: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT_SECONDS)
        number = client
        while not self._stop.wait(PERIOD_SECONDS):
            number += 1
            body, probability = self._expected[number % len(self._expected)]
            with self._lock:
                self._begun[client] += 1
            begun = time.monotonic()
            outcome, failure = self._ask(connection, body, probability)
            with self._ended:
                (self.failures if failure else self._answers).append(outcome)
                self._failed.extend([begun] if failure else [])
                self._ends[client] += 1
                self._ended.notify_all()
            if failure or not keep:
                connection.close()
        connection.close()

    def _ask(self, connection: http.client.HTTPConnection, body: bytes, probability: float) -> tuple[str, bool]:
        """The version of a right answer and False, or what failed and True."""
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
