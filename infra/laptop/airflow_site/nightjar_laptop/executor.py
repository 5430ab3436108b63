"""A LocalExecutor that makes the scheduler wait for events, so that it costs nothing while nothing happens.

The scheduler calls its executor in every round. Here that call waits until a task's process has ended, or until
PostgreSQL says that a run or task has changed (``airflow_wakeup.sql``). Rounds that time alone calls for, such as those
of retries, come once a second, and more seldom when nothing has changed for a while.
"""

from __future__ import annotations

import time
from multiprocessing.connection import wait
from typing import Any

import psycopg
from airflow.configuration import conf
from airflow.executors.local_executor import LocalExecutor

CHANNEL = "nightjar_scheduler"
BUSY_SECONDS, IDLE_SECONDS = 1.0, 5.0
BUSY_AFTER_CHANGE_SECONDS = 60.0
WITHOUT_DATABASE_SECONDS = 0.1


class EventDrivenLocalExecutor(LocalExecutor):
    """LocalExecutor with a heartbeat that waits for the next event."""

    _listener: psycopg.Connection[Any] | None = None
    _changed_at = 0.0

    def heartbeat(self) -> None:
        """Waits for an event, unless tasks are queued here; then acts as every executor."""
        if not self.queued_tasks:
            self._wait()
        super().heartbeat()

    def _wait(self) -> None:
        busy = self.running or time.monotonic() - self._changed_at < BUSY_AFTER_CHANGE_SECONDS
        seconds = BUSY_SECONDS if busy else IDLE_SECONDS
        results: Any = self.result_queue
        try:
            listener = self._connected()
            ready = wait([results._reader, listener.fileno()], seconds)
            if listener.fileno() in ready and list(listener.notifies(timeout=0)):
                self._changed_at = time.monotonic()
        except psycopg.Error:
            self._listener = None
            wait([results._reader], WITHOUT_DATABASE_SECONDS)

    def _connected(self) -> psycopg.Connection[Any]:
        if self._listener is None:
            url = conf.get("database", "sql_alchemy_conn").replace("postgresql+psycopg2://", "postgresql://")
            self._listener = psycopg.connect(url, autocommit=True, connect_timeout=5, application_name=CHANNEL)
            self._listener.execute(f"LISTEN {CHANNEL}")
            self._changed_at = time.monotonic()
        return self._listener
