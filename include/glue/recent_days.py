"""The statistics of the published days before a day, and of the days that this audit has passed before it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from include.glue.day_profile import DayProfile
from include.glue.storage import find_json
from include.workloads.comparison import RECENT_DAYS, RECENT_WINDOW_DAYS

Profiles = dict[str, DayProfile]
"""Event type → statistics of one day."""


class RecentDays:
    """Statistics by day. Only days before the day that is asked for are returned, so that a later one changes nothing.

    Args:
        uris: Day (ISO) → URI of its statistics. A document that does not exist is left out: an older release, which
            wrote none, has published the day.
    """

    def __init__(self, uris: Mapping[str, str]) -> None:
        self._uris = dict(uris)
        self._profiles: dict[str, Profiles] = {}

    def add(self, day: date, profiles: Profiles) -> None:
        """Adds a day that this audit has passed; it counts instead of what is published."""
        self._profiles[day.isoformat()] = profiles

    def before(self, day: date) -> dict[str, Profiles]:
        """Returns the newest days before ``day``: at most ``RECENT_DAYS``, of the last ``RECENT_WINDOW_DAYS`` days."""
        first = (day - timedelta(days=RECENT_WINDOW_DAYS)).isoformat()
        candidates = sorted(name for name in {*self._uris, *self._profiles} if first <= name < day.isoformat())
        found: dict[str, Profiles] = {}
        for name in reversed(candidates):
            if len(found) == RECENT_DAYS:
                break
            if profiles := self._load(name):
                found[name] = profiles
        return dict(sorted(found.items()))

    def _load(self, day: str) -> Profiles:
        if day not in self._profiles:
            self._profiles[day] = find_json(self._uris[day]) or {}
        return self._profiles[day]
