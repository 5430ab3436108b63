"""Instants as text: ISO 8601 UTC, always with microseconds, so that texts compare as the times they mean."""

from __future__ import annotations

from datetime import UTC, datetime


def parse_instant(text: str) -> datetime:
    """An aware UTC datetime. Raises ValueError for a text that is no ISO 8601 time or has no offset."""
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is None:
            raise ValueError("it has no offset")
        return instant.astimezone(UTC)
    except (TypeError, OverflowError, ValueError) as error:
        raise ValueError(
            f"{text!r} is not an ISO 8601 time with an offset, like 2013-03-01T10:15:00Z ({error})"
        ) from None


def instant_text(instant: datetime) -> str:
    """``2013-03-01T10:15:00.000000Z``. The datetime must be aware."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def utc_now() -> datetime:
    """The platform's clock, where one is really read."""
    return datetime.now(UTC)
