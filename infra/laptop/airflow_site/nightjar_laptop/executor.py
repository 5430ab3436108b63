"""A LocalExecutor that makes the scheduler wait for events, so that it costs nothing while nothing happens.

The scheduler calls its executor in every round. Here that call starts what is due, then waits until PostgreSQL says
that a run or task has changed so that there may be something to do (``airflow_wakeup.sql``). A process that only ends
calls for no round, unless all places were taken. Rounds that time alone calls for, such as those of retries, come once
a second, and more seldom when nothing has changed for a while.

Idle workers share a queue, and one of them holds its lock while it waits. If that one is killed, no other gets a task
any more. The scheduler then ends with an error, so that the supervisor starts it anew.
"""

from __future__ import annotations

import time
from multiprocessing.connection import wait
from typing import Any

import psycopg
from airflow.configuration import conf

from .idle_workers import RestingLocalExecutor
from .preload import preload
from .supervise import notice_ends_at_once

CHANNEL = "nightjar_scheduler"
BUSY_SECONDS, IDLE_SECONDS = 1.0, 5.0
BUSY_AFTER_CHANGE_SECONDS = 60.0
WITHOUT_DATABASE_SECONDS = 0.1
# So long tasks may lie in the queue while a worker is free. A worker takes one within milliseconds.
STUCK_SECONDS = 20.0


class QueueStuckError(Exception):
    """No worker takes tasks from the queue any more."""


class EventDrivenLocalExecutor(RestingLocalExecutor):
    """LocalExecutor that holds tasks and rests, with a heartbeat that waits for the next event."""

    _listener: psycopg.Connection[Any] | None = None
    _changed_at = 0.0
    _wait_until = 0.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._unread, self._unread_since = 0, 0.0

    def start(self) -> None:
        """Imports what tasks need, before the workers are forked."""
        preload()
        notice_ends_at_once()
        super().start()

    def heartbeat(self) -> None:
        """Acts as every executor, then waits for an event.

        Raises:
            QueueStuckError: Free workers take no task.
        """
        self._require_readers()
        super().heartbeat()
        self._wait_until = time.monotonic() + self._longest_wait()
        while self._wait():
            super().heartbeat()  # a task that was held for the process that has ended starts now

    def _require_readers(self) -> None:
        unread, now = self._unread_messages.value, time.monotonic()
        all_busy = len(self._processes) - unread >= self.parallelism
        if unread == 0 or unread != self._unread or all_busy:
            self._unread, self._unread_since = unread, now
        elif now - self._unread_since > STUCK_SECONDS:
            raise QueueStuckError(
                f"For {STUCK_SECONDS:.0f} s no free worker took one of {unread} tasks. A worker was probably killed "
                "while it held the queue's lock. The scheduler ends, and its supervisor starts it again."
            )

    def _longest_wait(self) -> float:
        busy = self._processes or time.monotonic() - self._changed_at < BUSY_AFTER_CHANGE_SECONDS
        return BUSY_SECONDS if busy else IDLE_SECONDS

    def _wait(self) -> bool:
        """Waits for an event; returns whether it was one that calls for no round of the scheduler."""
        results: Any = self.result_queue
        was_full = self.slots_available <= 0
        try:
            listener = self._connected()
            ready = wait([results._reader, listener.fileno()], max(0.0, self._wait_until - time.monotonic()))
            if listener.fileno() in ready and list(listener.notifies(timeout=0)):
                self._changed_at = time.monotonic()
                return False
        except psycopg.Error:
            self._listener = None
            wait([results._reader], WITHOUT_DATABASE_SECONDS)
            return False
        return bool(ready) and not was_full

    def _connected(self) -> psycopg.Connection[Any]:
        if self._listener is None:
            url = conf.get("database", "sql_alchemy_conn").replace("postgresql+psycopg2://", "postgresql://")
            self._listener = psycopg.connect(url, autocommit=True, connect_timeout=5, application_name=CHANNEL)
            self._listener.execute(f"LISTEN {CHANNEL}")
            self._changed_at = time.monotonic()
        return self._listener
