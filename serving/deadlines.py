"""A time limit for many waits at once, with one timer for all of them: a timer for each request would cost more than a fast
engine's whole answer.
"""

from __future__ import annotations

import asyncio

# How late a wait may be ended, as a share of the limit.
LATENESS = 0.2


class Deadlines:
    """For the event loop's thread; one wait a task."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._ends: dict[asyncio.Task, float] = {}
        self._late: set[asyncio.Task] = set()
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> asyncio.Task:
        """The current task begins to wait; it is cancelled when its time is over, unless :meth:`end` came first."""
        task = asyncio.current_task()
        assert task is not None
        loop = asyncio.get_running_loop()
        self._ends[task] = loop.time() + self.seconds
        if self._timer is None:
            self._timer = loop.call_later(self.seconds * LATENESS, self._sweep, loop)
        return task

    def is_late(self, task: asyncio.Task) -> bool:
        """Whether the task was cancelled here, and not by somebody else; the cancellation is then taken back."""
        if task not in self._late:
            return False
        self._late.discard(task)
        task.uncancel()
        return True

    def end(self, task: asyncio.Task) -> None:
        """The task waits no more."""
        self._ends.pop(task, None)
        self._late.discard(task)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for task in [task for task, end in self._ends.items() if end <= now]:
            del self._ends[task]
            self._late.add(task)
            task.cancel()
        self._timer = loop.call_later(self.seconds * LATENESS, self._sweep, loop) if self._ends else None
