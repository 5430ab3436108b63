"""A time limit for many waits with one timer: a timer per request would cost more than a fast engine's answer."""

from __future__ import annotations

import asyncio
from typing import Any

# How late a wait may be ended, as a share of the limit.
LATENESS = 0.2

Task = asyncio.Task[Any]


class Deadlines:
    """Cancels tasks that wait too long. For the event loop's thread; one wait per task.

    Args:
        seconds: The limit of every wait.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._ends: dict[Task, float] = {}
        self._expired: set[Task] = set()
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> Task:
        """Starts the current task's wait. The task is cancelled at its limit unless :meth:`end` is called before."""
        task = asyncio.current_task()
        assert task is not None
        loop = asyncio.get_running_loop()
        self._ends[task] = loop.time() + self.seconds
        if self._timer is None:
            self._timer = loop.call_later(self.seconds * LATENESS, self._sweep, loop)
        return task

    def has_expired(self, task: Task) -> bool:
        """Whether the limit, and nothing else, cancelled the task. If so, the cancellation is taken back."""
        if task not in self._expired:
            return False
        self._expired.discard(task)
        task.uncancel()
        return True

    def end(self, task: Task) -> None:
        """Ends the task's wait."""
        self._ends.pop(task, None)
        self._expired.discard(task)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for task in [task for task, end in self._ends.items() if end <= now]:
            del self._ends[task]
            self._expired.add(task)
            task.cancel()
        self._timer = loop.call_later(self.seconds * LATENESS, self._sweep, loop) if self._ends else None
