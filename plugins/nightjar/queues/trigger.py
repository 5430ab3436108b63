"""Starts a DAG while messages wait in a queue: for event-driven scheduling (an asset's watcher)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent
from botocore.exceptions import BotoCoreError, ClientError

from nightjar.queues.hook import QueueHook

# After an error, such as a queue that does not exist yet.
ERROR_SECONDS = 60.0


class QueueTrigger(BaseEventTrigger):
    """Fires when messages wait, and again if they still wait after a while.

    It only counts messages. The DAG's task receives each one and deletes it after its work, so a run that fails, or
    never starts, loses none. (The provider's trigger deletes the messages before any work is done; or it keeps them,
    and each of its looks counts as a try of the message.)

    Args:
        queue: The queue's name.
        poll_seconds: Seconds between two looks.
        again_seconds: Seconds after which messages that still wait are announced again: their run may have failed.
    """

    def __init__(self, *, queue: str, poll_seconds: float, again_seconds: float) -> None:
        super().__init__()
        self.queue = queue
        self.poll_seconds = poll_seconds
        self.again_seconds = again_seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Returns the class path and the arguments, as Airflow stores them."""
        return f"{__name__}.{type(self).__qualname__}", {
            "queue": self.queue,
            "poll_seconds": self.poll_seconds,
            "again_seconds": self.again_seconds,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Looks every ``poll_seconds``, for ever. An error is logged, and ends nothing."""
        announced: float | None = None
        while True:
            try:
                async with QueueHook(self.queue).looking() as waiting:
                    while True:
                        count = await waiting()
                        if not count:
                            announced = None
                        elif announced is None or time.monotonic() - announced >= self.again_seconds:
                            announced = time.monotonic()
                            yield TriggerEvent({"queue": self.queue, "waiting": count})
                        await asyncio.sleep(self.poll_seconds)
            except (BotoCoreError, ClientError) as error:
                self.log.warning("%s cannot be looked at, and is tried again: %s", self.queue, error)
                await asyncio.sleep(max(self.poll_seconds, ERROR_SECONDS))
