"""Days and instants: what a Param's text means, and where a day ends. All UTC; nothing here reads a clock."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta


def parse_day(text: str) -> date:
    """``2013-03-01`` as a date. Raises ValueError that says which form is wanted."""
    try:
        day = date.fromisoformat(text)
    except (TypeError, ValueError):
        day = None
    if day is None or day.isoformat() != text:
        raise ValueError(f"{text!r} is not a day: write it like 2013-03-01")
    return day


def parse_days(text: str) -> list[date]:
    """``2013-03-01,2013-03-02`` as sorted dates without repeats. Raises ValueError for an empty list or a wrong day."""
    days = sorted({parse_day(part.strip()) for part in text.split(",") if part.strip()})
    if not days:
        raise ValueError("no day given: write one or more days like 2013-03-01,2013-03-02")
    return days


def format_days(days: Iterable[date]) -> str:
    """The inverse of :func:`parse_days`."""
    return ",".join(day.isoformat() for day in sorted(set(days)))


def day_range(first: date, last: date) -> list[date]:
    """Every day from first to last, both included. Raises ValueError when last is before first."""
    if last < first:
        raise ValueError(f"the range ends ({last}) before it begins ({first})")
    return [first + timedelta(days=offset) for offset in range((last - first).days + 1)]


def day_start(day: date) -> datetime:
    """Midnight UTC at which the day begins."""
    return datetime.combine(day, time(), tzinfo=UTC)


def cutoff(day: date) -> datetime:
    """The instant at which a night's data set is taken: midnight UTC at which the day is over."""
    return day_start(day + timedelta(days=1))


def utc_date(instant: datetime) -> date:
    """The UTC date of an aware datetime. Raises ValueError for a naive one."""
    if instant.tzinfo is None:
        raise ValueError("a naive datetime has no UTC date: give it a time zone")
    return instant.astimezone(UTC).date()


def iso(instant: datetime) -> str:
    """ISO 8601 UTC with ``Z``, the spelling of every time in events, manifests and state. Raises ValueError for a naive
    datetime.
    """
    if instant.tzinfo is None:
        raise ValueError("a naive datetime is no instant: give it a time zone")
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_iso(text: str) -> datetime:
    """The aware UTC datetime of an ISO 8601 text with an offset. Raises ValueError."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no offset: write it like 2013-03-01T10:15:00Z")
    return instant.astimezone(UTC)
