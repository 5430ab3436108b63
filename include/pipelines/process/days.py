"""A processed day: what is stored about it, and the check that a waiting task makes of its status."""

from __future__ import annotations

from include.errors import RefusedError
from include.pipelines.process.types import DayOrigin, ProcessPlan, PublishedDay
from include.pipelines.protocols import StateItems


def day_origin(plan: ProcessPlan, day: str, run: str) -> DayOrigin:
    """Returns what a day's rows were made from: the transform run, the inputs, the code, and when it was planned."""
    return {
        "run": run,
        "fingerprint": plan["days"][day],
        "code_sha": plan["code_sha"],
        "planned_at": plan["planned_at"],
    }


def day_status(items: StateItems) -> PublishedDay | None:
    """Returns the run that the day was published from, or None while the day's status is not final.

    Args:
        items: The item of one day.

    Raises:
        RefusedError: The day was refused.
    """
    (((_, day), item),) = items.items()
    if item and item.get("status") == "published":
        return {"status": "published", "run": item["run"]}
    if item and item.get("status") == "refused":
        raise RefusedError(f"Day {day} was refused: {item.get('reason') or 'no reason given'}")
    return None
