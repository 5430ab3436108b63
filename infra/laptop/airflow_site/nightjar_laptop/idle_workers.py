"""A LocalExecutor whose workers end when they had nothing to do for a while: each keeps some 20 MB of its own.

Airflow's LocalExecutor starts as many as it may at its start, and they stay. It starts them again when a task is due.
"""

from __future__ import annotations

import time
from typing import Any

from .held_tasks import HoldingLocalExecutor

IDLE_SECONDS = 60.0


class RestingLocalExecutor(HoldingLocalExecutor):
    """LocalExecutor that has no workers while nothing is to be done."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._worked_at = time.monotonic()
        self._told_to_end: set[int] = set()  # process ids

    def heartbeat(self) -> None:
        """Acts as every executor, and ends idle workers."""
        super().heartbeat()
        self._told_to_end &= self.workers.keys()
        if self._processes or self.queued_tasks:
            self._worked_at = time.monotonic()
        elif time.monotonic() - self._worked_at > IDLE_SECONDS:
            self._end_workers()

    def _spawn_workers_with_gc_freeze(self, spawn_number: int) -> None:
        """Starts workers. What exists stays out of the search for garbage, which Airflow takes back after each start.

        Then the scheduler would soon have a copy of all that it shares with Airflow's other processes.
        """
        for _ in range(spawn_number):
            self._spawn_worker()

    def _end_workers(self) -> None:
        """Sends each worker what ends it, as Airflow does at the executor's end.

        A task that comes now waits behind that until the executor sees that the workers have ended, and starts others.
        """
        for pid in self.workers.keys() - self._told_to_end:
            self._told_to_end.add(pid)
            self.activity_queue.put(None)
