"""What a process run says in its note."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from include.lake.days import format_days
from include.pipelines.process.choose_days import ChosenDays


def chosen(days: ChosenDays) -> str:
    """The days that a process or retrain run is for."""
    return f"For {format_days(map(date.fromisoformat, days['days']))}."


def published(days: Iterable[str]) -> str:
    """The days that were published."""
    return f"Published {format_days(map(date.fromisoformat, days))}."
