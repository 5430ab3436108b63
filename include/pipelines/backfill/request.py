"""What a person asks of a backfill: the form's fields, and their checks. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, TypedDict

from include.errors import UserError
from include.lake.days import MAX_RUN_DAYS, cutoff, day_range, parse_day
from include.pipelines.rundate import last_complete_day
from include.workloads.backfill import MAX_CONCURRENCY

MAX_BACKFILL_DAYS = 3660
RETRAIN_EVERY = {"never": 0, "daily": 1, "weekly": 7, "monthly": 28}
"""The choices of the form → days from one retrain to the next; 0: none."""


class BackfillRequest(TypedDict):
    """A checked request."""

    first: str
    last: str
    chunk_days: int
    concurrency: int
    retrain_every: int
    """Days from one retrain to the next; 0: none."""
    dry_run: bool
    approve_above_usd: float


def parse_request(params: Mapping[str, Any], present: datetime) -> BackfillRequest:
    """Checks the form.

    Args:
        params: ``from_date``, ``to_date``, ``chunk_days``, ``concurrency``, ``retrain_every``, ``dry_run``,
            ``approve_above_usd``.
        present: The present.

    Raises:
        UserError: A field is empty or wrong. The text names it.
    """
    first, last = (_day(params, name) for name in ("from_date", "to_date"))
    if last < first:
        raise UserError(f"to_date is {last}, before from_date {first}. Give a range that begins before it ends.")
    if last - first >= timedelta(days=MAX_BACKFILL_DAYS):
        raise UserError(f"{first} to {last} are more than {MAX_BACKFILL_DAYS} days. Give a shorter range.")
    if cutoff(last) > present:
        raise UserError(f"to_date {last} has not ended (UTC). Give a day up to {last_complete_day(present)}.")
    every = params["retrain_every"]
    if every not in RETRAIN_EVERY:
        raise UserError(f"retrain_every is {every!r}. Choose one of {', '.join(RETRAIN_EVERY)}.")
    return {
        "first": first.isoformat(),
        "last": last.isoformat(),
        "chunk_days": _whole(params, "chunk_days", MAX_RUN_DAYS),
        "concurrency": _whole(params, "concurrency", MAX_CONCURRENCY),
        "retrain_every": RETRAIN_EVERY[every],
        "dry_run": bool(params["dry_run"]),
        "approve_above_usd": _dollars(params["approve_above_usd"]),
    }


def retrain_days(request: BackfillRequest) -> list[date]:
    """Returns the days to retrain for, in order: the last day of the range, and every N days before it."""
    step = request["retrain_every"]
    if not step:
        return []
    days = day_range(date.fromisoformat(request["first"]), date.fromisoformat(request["last"]))
    return days[::-1][::step][::-1]


def _day(params: Mapping[str, Any], name: str) -> date:
    if not params.get(name):
        raise UserError(f"{name} is empty. Give the range's days, like 2013-03-01.")
    try:
        return parse_day(params[name])
    except UserError as error:
        raise UserError(f"{name}: {error}") from None


def _whole(params: Mapping[str, Any], name: str, most: int) -> int:
    value = params[name]
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise UserError(f"{name} is {value!r}. Give a whole number from 1 to {most}.")
    return value


def _dollars(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e6:
        raise UserError(f"approve_above_usd is {value!r}. Give dollars, like 5; 0 asks for approval of any cost.")
    return float(value)
