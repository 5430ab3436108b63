"""A processed day: what is stored about it, and the check that a waiting task makes of its status."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from include.errors import RefusedError
from include.lake import state_keys
from include.pipelines.process.types import DayOrigin, EmptyDay, FinalDay, ProcessPlan
from include.pipelines.protocols import StateItems, StateStore

log = logging.getLogger(__name__)


class RefusedDayError(RefusedError):
    """The gate refused the day; the process run that did so has failed, and reported it."""


def day_origin(plan: ProcessPlan, day: str, run: str) -> DayOrigin:
    """Returns what a day's rows were made from: the transform run, the inputs, the code, and when it was planned."""
    return {
        "run": run,
        "fingerprint": plan["days"][day],
        "code_sha": plan["code_sha"],
        "planned_at": plan["planned_at"],
    }


def record_empty_days(workload: str, days: Iterable[date], planned_at: str, code_sha: str, state: StateStore) -> None:
    """Records that complete days have no events, so that nobody waits for them to be published.

    An item of another status stays: raw is write-once, so a processed day has raw objects.
    """
    for day in days:
        key = state_keys.day_key(workload, day)
        if (state.get(*key) or {}).get("status", "empty") == "empty":
            item: EmptyDay = {"status": "empty", "planned_at": planned_at, "code_sha": code_sha, "markers": 0}
            state.advance(*key, item, "planned_at")
            log.info("%s is complete and has no events", day)


def day_status(items: StateItems, tolerated: int = 0) -> FinalDay | None:
    """Returns the status of a day, or None while it is not final.

    Args:
        items: The item of one day.
        tolerated: How many days of a data set's window may be missing (``dataset.missing_days``). With none, a day
            that is not published ends the wait with an error; with any, the data set's plan decides.

    Raises:
        RefusedDayError: The day was refused, and none may be missing.
        RefusedError: The day has no events, and none may be missing.
    """
    (((_, day), item),) = items.items()
    if not item or item.get("status") not in ("published", "refused", "empty"):
        return None
    if item["status"] != "published" and not tolerated:
        error = RefusedDayError if item["status"] == "refused" else RefusedError
        raise error(f"Day {day} {missing_reason(item)}")
    return {"status": item["status"], "run": item.get("run", "")}


def missing_reason(item: Mapping[str, Any] | None) -> str:
    """Says why a day that is not published is missing, to follow the day's name.

    Args:
        item: The day's item; None if there is none.
    """
    if not item:
        return "was never processed"
    if item["status"] == "empty":
        return "has no events"
    return f"was refused: {item.get('reason') or 'no reason given'}"
