"""Instants and their one text form: ISO 8601, UTC, always with microseconds.

The width is fixed, so the texts of two instants compare as the instants do.
"""

from __future__ import annotations

from datetime import UTC, datetime


def parse_instant(text: str) -> datetime:
    """Parses an ISO 8601 time with an offset.

    Returns:
        An aware datetime in UTC.

    Raises:
        ValueError: The text is no ISO 8601 time, has no offset, or is outside the years 1 to 9999 in UTC.
    """
    try:
        return _in_utc(datetime.fromisoformat(text))
    except (TypeError, OverflowError, ValueError) as error:
        raise ValueError(
            f"{text!r} is not an ISO 8601 time with an offset, like 2013-03-01T10:15:00Z ({error})"
        ) from None


def format_instant(instant: datetime) -> str:
    """Formats an instant as ``2013-03-01T10:15:00.000000Z``.

    Raises:
        ValueError: The datetime has no time zone.
    """
    return f"{_in_utc(instant).isoformat(timespec='microseconds')[:-6]}Z"  # for +00:00


def parse_naive(text: str) -> datetime:
    """Parses a time as :func:`parse_instant` does, but returns it without its zone (UTC), cut to the millisecond."""
    instant = parse_instant(text)
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000, tzinfo=None)


def to_millisecond(instant: datetime) -> datetime:
    """Cuts an instant to the millisecond, the precision of Athena's timestamps."""
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def _in_utc(instant: datetime) -> datetime:
    return instant if instant.tzinfo is UTC else require_aware(instant).astimezone(UTC)


def require_aware(instant: datetime) -> datetime:
    """Returns the datetime as it is.

    Raises:
        ValueError: The datetime has no time zone, so it is not an instant.
    """
    if instant.tzinfo is None:
        raise ValueError("the time has no offset: give it a time zone, such as Z")
    return instant
