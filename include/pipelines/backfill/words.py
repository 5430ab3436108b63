"""A backfill in words: numbers of days, minutes, dollars, and the plan's sentence. Plain text; a page escapes it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from include.pipelines.backfill.estimate import Amount
from include.pipelines.backfill.types import BackfillPlan


def count(number: int, noun: str) -> str:
    """``1 day``, ``1,200 days``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def minutes(seconds: float) -> str:
    """``40 s``, ``12 min``, ``3.5 h``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 100 * 60 else f"{seconds / 3600:.1f} h"


def dollars(usd: float) -> str:
    """``$0.042``, ``$12.50``."""
    return f"${usd:.3f}" if usd < 1 else f"${usd:,.2f}"


def size(number: int) -> str:
    """``12.3 MB``."""
    return f"{number / 1e6:,.1f} MB"


def time_range(amount: Amount | None) -> str:
    """An estimated time with its bounds."""
    if amount is None:
        return "unknown time"
    return f"about {minutes(amount['likely'])} ({minutes(amount['low'])} to {minutes(amount['high'])})"


def cost_range(amount: Amount | None) -> str:
    """An estimated cost with its bounds."""
    if amount is None:
        return "unknown cost"
    return f"{dollars(amount['likely'])} ({dollars(amount['low'])} to {dollars(amount['high'])})"


def spans(days: Sequence[str]) -> str:
    """Days as ranges: ``2013-03-01 to 2013-03-04, 2013-03-09``."""
    found: list[list[date]] = []
    for day in map(date.fromisoformat, sorted(days)):
        if found and day == found[-1][-1] + timedelta(days=1):
            found[-1] = [found[-1][0], day]
        else:
            found.append([day, day])
    return ", ".join(str(first) if first == last else f"{first} to {last}" for first, last in found)


def plan_sentence(plan: BackfillPlan) -> str:
    """What the plan says, in a few sentences."""
    days, request = plan["days"], plan["request"]
    left = [
        (days["published"], "published already from the same inputs and code"),
        (days["refused"], "refused already from the same inputs and code"),
        (days["no_raw"], "without raw data"),
        (days["incomplete"], "not complete in raw"),
    ]
    kept = ", ".join(f"{len(group):,} {what}" for group, what in left if group)
    text = f"{request['first']} to {request['last']}: {count(len(days['to_process']), 'day')} to process"
    if plan["chunks"]:
        text += f" in {count(len(plan['chunks']), 'chunk')}, {count(plan['rows'], 'record')}, {size(plan['bytes'])}"
    text += f"; {kept}." if kept else "."
    if plan["retrains"]:
        text += f" {count(len(plan['retrains']), 'retrain run')} after that."
    if is_empty(plan):
        return text + " There is nothing to do."
    found = plan["estimate"]
    budget = plan["budget"]["sentence"] if "budget" in plan else ""
    return (
        f"{text} {count(plan['jobs'], 'remote job')}, {time_range(found['seconds'])}, {cost_range(found['usd'])}, "
        f"from {found['basis']}. {budget}"
    ).rstrip()


def is_empty(plan: BackfillPlan) -> bool:
    """Whether the plan has nothing to do."""
    return not plan["chunks"] and not plan["retrains"]


def approval_reason(plan: BackfillPlan) -> str:
    """Why a person has to approve the plan; empty if nobody has to.

    The upper end of the estimate counts. A cost that is not known may be above any limit.
    """
    usd, limit = plan["estimate"]["usd"], plan["request"]["approve_above_usd"]
    if is_empty(plan):
        return ""
    if usd is None:
        return f"What this backfill will cost is unknown, so it may cost more than {dollars(limit)}."
    if usd["high"] > limit:
        return f"This backfill may cost {dollars(usd['high'])}, more than {dollars(limit)}."
    left = plan["budget"]["left"] if "budget" in plan else None
    if left is not None and usd["high"] > left:
        return f"This backfill may cost {dollars(usd['high'])}, more than the month's budget leaves, {dollars(left)}."
    return ""
