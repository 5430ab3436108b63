"""Fires when one of the watched items of the state table has changed, or at a deadline."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from nightjar.busy import ERRORS, busy_reason
from nightjar.state.hook import Get, Item, StateHook

ItemKey = tuple[str, str]


def items_digest(items: Mapping[ItemKey, Item | None]) -> str:
    """Returns a digest that changes when an item is created, changed or deleted."""
    text = json.dumps([[*key, item] for key, item in items.items()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


class StateTrigger(BaseTrigger):
    """Fires once: with ``{"late": False}`` when an item differs from what the sensor saw, else ``{"late": True}``.

    It has no ``on_kill``: clearing a sensor must not stop anything.

    Args:
        table: The state table.
        keys: (pk, sk) of each watched item.
        seen: :func:`items_digest` of the items as the sensor saw them.
        deadline: ISO 8601 instant with an offset.
        poll_seconds: Seconds between two reads.
    """

    def __init__(
        self, *, table: str, keys: Sequence[Sequence[str]], seen: str, deadline: str, poll_seconds: float
    ) -> None:
        super().__init__()
        self.table = table
        self.keys = [(pk, sk) for pk, sk in keys]
        self.seen = seen
        self.deadline = deadline
        self.poll_seconds = poll_seconds
        self.busy: str | None = None

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Returns the class path and the arguments, as Airflow stores them."""
        return f"{__name__}.{type(self).__qualname__}", {
            "table": self.table,
            "keys": [list(key) for key in self.keys],
            "seen": self.seen,
            "deadline": self.deadline,
            "poll_seconds": self.poll_seconds,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Reads the items every ``poll_seconds``."""
        deadline = datetime.fromisoformat(self.deadline)
        async with StateHook(self.table).reading() as get:
            changed = late = False
            while not (changed or late):
                # Wait first: the sensor has just read the items. A trigger that fires at once also meets Airflow issue
                # 72716: a task that resumes before Airflow has recorded the end of its worker loses a try.
                await asyncio.sleep(self.poll_seconds)
                changed = await self._changed(get)
                late = datetime.now(UTC) >= deadline
        yield TriggerEvent({"late": not changed})

    async def _changed(self, get: Get) -> bool:
        """Whether an item differs from what the sensor saw; False while AWS is busy."""
        try:
            items = {(pk, sk): await get(pk, sk) for pk, sk in self.keys}
        except ERRORS as error:
            reason = busy_reason(error)
            if reason is None:
                raise
            if reason != self.busy:
                self.log.warning("AWS is busy (%s): waiting on", reason)
            self.busy = reason
            return False
        self.busy = None
        return items_digest(items) != self.seen
