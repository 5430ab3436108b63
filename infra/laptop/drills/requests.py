"""Requests to the service, from threads that send one after the other."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any, ClassVar

import httpx

from infra.laptop.drills.cause import Cause
from infra.laptop.drills.target import Target

_TIMEOUT_SECONDS = 30.0


class Flood(Cause):
    """Sends a request again and again until it is ended.

    Attributes:
        threads: How many requests are on their way at once.
        pause: Seconds of each thread between two requests.
    """

    threads: ClassVar[int] = 4
    pause: ClassVar[float] = 0.2
    path: ClassVar[str] = "/predict"

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self._ended = threading.Event()
        self._running: list[threading.Thread] = []

    def body(self) -> Any:
        """The body of each request."""
        return self.target.record

    def begin(self) -> None:
        """Starts the threads."""
        body = self.body()
        self._running = [threading.Thread(target=self._send, args=(body,), daemon=True) for _ in range(self.threads)]
        for thread in self._running:
            thread.start()

    def end(self) -> None:
        """Ends the threads."""
        self._ended.set()
        for thread in self._running:
            thread.join()

    def _send(self, body: Any) -> None:
        with httpx.Client(base_url=self.target.url, timeout=_TIMEOUT_SECONDS) as client:
            while not self._ended.is_set():
                with suppress(httpx.HTTPError):  # the service may refuse or be slow: that is the cause
                    client.post(self.path, json=body)
                self._ended.wait(self.pause)


class InvalidRequests(Flood):
    """Requests without any field: each is answered with 422."""

    def body(self) -> Any:
        """No field."""
        return {}


class LargeBatches(Flood):
    """Batches of a thousand records, many at once: each waits for the others."""

    threads = 24
    pause = 0.0
    path = "/predict/batch"
    records: ClassVar[int] = 1000  # the most that the service takes (MAX_BATCH)

    def body(self) -> Any:
        """The same record many times."""
        return {"records": [self.target.record] * self.records}
