"""Triggers that look at items of the state table until they say something final."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from nightjar.state.hook import Item, StateHook


def day_verdict(item: Item | None) -> dict[str, Any] | None:
    """What a day's item says: published, refused with its reason, or None while there is nothing final."""
    status = (item or {}).get("status")
    if status == "published":
        return {"status": "published", "run": item["run"]}
    if status == "refused":
        return {"status": "refused", "reason": item.get("reason") or "no reason given"}
    return None


def watermark_verdict(items: dict[str, Item | None], at_least: str) -> dict[str, Any] | None:
    """``reached`` with the watermarks once every source's is ``at_least`` (ISO 8601 with zone) or later, else None."""
    needed = datetime.fromisoformat(at_least)
    marks = {source: (item or {}).get("watermark") for source, item in items.items()}
    if all(mark and datetime.fromisoformat(mark) >= needed for mark in marks.values()):
        return {"status": "reached", "watermarks": marks}
    return None


class StateTrigger(BaseTrigger):
    """Looks every ``poll_seconds`` until :meth:`look` answers or ``deadline`` (ISO 8601 with zone) has passed."""

    def __init__(self, *, table: str, deadline: str, poll_seconds: float) -> None:
        super().__init__()
        self.table = table
        self.deadline = deadline
        self.poll_seconds = poll_seconds

    @abstractmethod
    async def look(self, hook: StateHook) -> tuple[dict[str, Any] | None, str]:
        """The verdict, or None, and a text of what was seen."""

    async def run(self) -> AsyncIterator[TriggerEvent]:
        hook = StateHook(self.table)
        deadline = datetime.fromisoformat(self.deadline)
        while True:
            await asyncio.sleep(self.poll_seconds)  # first the wait, as in nightjar.jobs.trigger
            verdict, seen = await self.look(hook)
            if verdict is None and datetime.now(UTC) >= deadline:
                verdict = {"status": "late", "seen": seen}
            if verdict is not None:
                yield TriggerEvent(verdict)
                return
            self.log.info("Waiting: %s", seen)


class DayStatusTrigger(StateTrigger):
    """Waits for a day's item to say ``published`` or ``refused``."""

    def __init__(self, *, table: str, pk: str, sk: str, deadline: str, poll_seconds: float) -> None:
        super().__init__(table=table, deadline=deadline, poll_seconds=poll_seconds)
        self.pk = pk
        self.sk = sk

    def serialize(self) -> tuple[str, dict[str, Any]]:
        fields = ("table", "pk", "sk", "deadline", "poll_seconds")
        return f"{__name__}.{type(self).__qualname__}", {name: getattr(self, name) for name in fields}

    async def look(self, hook: StateHook) -> tuple[dict[str, Any] | None, str]:
        item = await hook.get_async(self.pk, self.sk)
        return day_verdict(item), f"{self.pk} {self.sk} is {item or 'not there'}"


class WatermarkTrigger(StateTrigger):
    """Waits until every source's watermark has reached an instant."""

    def __init__(
        self, *, table: str, pk: str, sources: list[str], at_least: str, deadline: str, poll_seconds: float
    ) -> None:
        super().__init__(table=table, deadline=deadline, poll_seconds=poll_seconds)
        self.pk = pk
        self.sources = sources
        self.at_least = at_least

    def serialize(self) -> tuple[str, dict[str, Any]]:
        fields = ("table", "pk", "sources", "at_least", "deadline", "poll_seconds")
        return f"{__name__}.{type(self).__qualname__}", {name: getattr(self, name) for name in fields}

    async def look(self, hook: StateHook) -> tuple[dict[str, Any] | None, str]:
        items = {source: await hook.get_async(self.pk, source) for source in self.sources}
        return watermark_verdict(items, self.at_least), f"{self.pk} is {items}, needed {self.at_least}"
