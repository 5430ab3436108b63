"""The trigger fires once for messages that wait, again if nobody takes them, and takes none itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError
from nightjar.queues import trigger as module
from nightjar.queues.trigger import QueueTrigger

ABSENT = ClientError({"Error": {"Code": "AWS.SimpleQueueService.NonExistentQueue"}}, "GetQueueUrl")


class Looks:
    """Answers each look with the next number of messages; a clock that only goes on while the trigger sleeps."""

    def __init__(self, answers: Iterable[int | Exception]) -> None:
        self.answers = list(answers)
        self.now = 0.0

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[Callable[[], Awaitable[int]]]:
        yield self.waiting

    async def waiting(self) -> int:
        if not self.answers:
            raise asyncio.CancelledError
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def fired(monkeypatch: pytest.MonkeyPatch, *answers: int | Exception, again: float = 100) -> list[tuple[float, int]]:
    """When the trigger fired, and with how many messages."""
    looks = Looks(answers)
    monkeypatch.setattr(module, "QueueHook", lambda queue: looks)
    monkeypatch.setattr(module.asyncio, "sleep", looks.sleep)
    monkeypatch.setattr(module.time, "monotonic", lambda: looks.now)
    trigger = QueueTrigger(queue="q", poll_seconds=10, again_seconds=again)

    async def collect() -> list[tuple[float, int]]:
        found = []
        try:
            async for event in trigger.run():
                payload: Any = event.payload
                found.append((looks.now, payload["waiting"]))
        except asyncio.CancelledError:
            pass
        return found

    return asyncio.run(collect())


def test_messages_are_announced_once_while_they_are_worked_on(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fired(monkeypatch, 0, 3, 2, 1, 0, 0, 1) == [(10, 3), (60, 1)]


def test_messages_that_nobody_takes_are_announced_again(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fired(monkeypatch, *[1] * 8, again=30) == [(0, 1), (30, 1), (60, 1)]


def test_a_queue_that_cannot_be_looked_at_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fired(monkeypatch, ABSENT, ABSENT, 1) == [(2 * module.ERROR_SECONDS, 1)]


def test_it_is_stored_with_its_arguments() -> None:
    path, arguments = QueueTrigger(queue="q", poll_seconds=1, again_seconds=2).serialize()
    assert path == "nightjar.queues.trigger.QueueTrigger"
    assert arguments == {"queue": "q", "poll_seconds": 1, "again_seconds": 2}
