"""Days: how a Param writes them, and where a day begins and ends. All UTC; nothing here reads a clock."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from include.errors import UserError
from include.lake.instants import require_aware

# Glue lists a job run, and Athena knows a query's token, no longer than this. Until then a submit adopts what
# succeeded, so its files must be there.
JOBS_REMEMBERED_DAYS = 90
MAX_RUN_DAYS = 366  # of one process run


def parse_day(text: str) -> date:
    """Parses a day written as ``2013-03-01``.

    Raises:
        UserError: The text has another form, or there is no such day.
    """
    try:
        day = date.fromisoformat(text)
    except (TypeError, ValueError):
        day = None
    if day is None or day.isoformat() != text:
        raise UserError(f"{text!r} is not a day: write it like 2013-03-01")
    return day


def parse_days(text: str) -> list[date]:
    """Parses days written as ``2013-03-01,2013-03-02``.

    Returns:
        The days in order, without repeats.

    Raises:
        UserError: There is no day in the text, or a wrong one.
    """
    days = sorted({parse_day(part.strip()) for part in text.split(",") if part.strip()})
    if not days:
        raise UserError("no day given: write one or more days like 2013-03-01,2013-03-02")
    return days


def day_range(first: date, last: date) -> list[date]:
    """Returns every day from first to last, both included.

    Raises:
        UserError: The last day is before the first.
    """
    if last < first:
        raise UserError(f"the range ends ({last}) before it begins ({first}): give a last day that is not earlier")
    return [first + timedelta(days=offset) for offset in range((last - first).days + 1)]


def format_days(days: Iterable[date]) -> str:
    """Formats days for a person, consecutive ones as a range: ``2013-03-01 to 2013-03-07, 2013-03-09``."""
    ranges: list[list[date]] = []
    for day in sorted(days):
        if ranges and day - ranges[-1][-1] == timedelta(days=1):
            ranges[-1].append(day)
        else:
            ranges.append([day])
    return ", ".join(f"{days[0]} to {days[-1]}" if len(days) > 1 else str(days[0]) for days in ranges)


def day_start(day: date) -> datetime:
    """Returns the instant at which the day begins: midnight UTC."""
    return datetime.combine(day, time(), tzinfo=UTC)


def cutoff(day: date) -> datetime:
    """Returns the cut-off of the day's data set: midnight UTC at the end of the day."""
    return day_start(day + timedelta(days=1))


def utc_date(instant: datetime) -> date:
    """Returns the UTC date of an instant.

    Raises:
        ValueError: The datetime has no time zone.
    """
    return require_aware(instant).astimezone(UTC).date()
