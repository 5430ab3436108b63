"""Invents orders and what became of them: forty a day, the same in every run.

Replace it by a reader of your recorded events, with the same function.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from include.lake.instants import format_instant

ORDERS_A_DAY = 40
SETTLED_AFTER = timedelta(hours=2)
# The chance that an order of a category is sent back.
CHANCES = {"book": 0.1, "dress": 0.5, "shoe": 0.3}


def events(data: Path, start: date, end: date) -> Iterator[dict[str, Any]]:
    """Yields the events recorded in [start, end), midnights in UTC, in order of ``recorded_at``.

    Args:
        data: Folder of the workload's data files; it has none.
        start: First day.
        end: Day after the last one.
    """
    day = start - timedelta(days=1)  # its last orders are settled on the first day
    found: list[dict[str, Any]] = []
    while day < end:
        found += _day(day)
        day += timedelta(days=1)
    first, last = (format_instant(datetime.combine(bound, time(), UTC)) for bound in (start, end))
    found.sort(key=lambda event: event["recorded_at"])
    yield from (event for event in found if first <= event["recorded_at"] < last)


def _day(day: date) -> Iterator[dict[str, Any]]:
    for number in range(ORDERS_A_DAY):
        key = f"{day}-{number}"
        chance = random.Random(key)
        category = chance.choice(sorted(CHANCES))
        price = round(chance.lognormvariate(4, 0.6), 2)
        ordered = datetime.combine(day, time(), UTC) + timedelta(days=1) * number / ORDERS_A_DAY
        order = {"category": category, "price": price, "express": chance.random() < 0.2}
        yield _event("ordered", key, ordered, order)
        sent_back = chance.random() < CHANCES[category] + (0.2 if price > 80 else 0)
        yield _event("settled", key, ordered + SETTLED_AFTER, {"sent_back": sent_back})


def _event(event_type: str, key: str, at: datetime, payload: dict[str, Any]) -> dict[str, Any]:
    instant = format_instant(at)
    return {"event_type": event_type, "key": key, "event_time": instant, "recorded_at": instant, "payload": payload}
