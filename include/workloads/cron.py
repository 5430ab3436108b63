"""Cron expressions that fire at most once a day, read without a library: every runtime loads workloads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, time, timedelta

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_PART = re.compile(r"(?P<first>\*|\w+)(-(?P<last>\w+))?(/(?P<step>\d+))?")
_FOUR_YEARS = [date(2024, 1, 1) + timedelta(days=offset) for offset in range(4 * 365 + 1)]


@dataclass(frozen=True)
class DailyCron:
    """A cron expression whose minute and hour are numbers.

    Attributes:
        at: The local time at which it fires.
        days: Days of the month.
        months: Months of the year.
        weekdays: Days of the week; 0 is Sunday.
    """

    at: time
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    def fires_on(self, day: date) -> bool:
        """Whether it fires on this local date."""
        return day.day in self.days and day.month in self.months and day.isoweekday() % 7 in self.weekdays


def parse_cron(text: str) -> DailyCron:
    """Parses an expression such as ``30 0 * * *``, or ``0 2 * * mon`` for once a week.

    Raises:
        ValueError: It is none, fires more than once a day, or never. The text names the field.
    """
    fields = text.split()
    if len(fields) != 5:
        raise ValueError(
            f"{text!r} has {len(fields)} fields, and a cron expression has 5: minute, hour, day of the month, month, "
            "day of the week, like 30 0 * * *"
        )
    minute, hour, days, months, weekdays = fields
    if not days.startswith("*") and not weekdays.startswith("*"):
        raise ValueError(
            f"{text!r} names days of the month and days of the week, and would fire on either. Name only one of them"
        )
    cron = DailyCron(
        time(_one("hour", hour, 23), _one("minute", minute, 59)),
        _numbers("day of the month", days, 1, 31),
        _numbers("month", months, 1, 12, _MONTHS),
        frozenset(number % 7 for number in _numbers("day of the week", weekdays, 0, 7, _WEEKDAYS)),
    )
    if not any(map(cron.fires_on, _FOUR_YEARS)):
        raise ValueError(f"{text!r} never fires: there is no such day")
    return cron


def _one(field: str, text: str, largest: int) -> int:
    if not text.isdecimal() or int(text) > largest:
        raise ValueError(
            f"{field} is {text!r}, and must be a number from 0 to {largest}: a run is for whole days, so it starts at "
            "most once a day"
        )
    return int(text)


def _numbers(field: str, text: str, smallest: int, largest: int, names: tuple[str, ...] = ()) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"{field} is {text!r}, and must be *, a number, a range like 1-5, or a list of them")
        if match["first"] == "*":
            first, last = smallest, largest
        else:
            first = _number(field, match["first"], smallest, names)
            last = _number(field, match["last"], smallest, names) if match["last"] else first
        # Airflow's parser takes a range of one number, like 5-5, for every number.
        if not smallest <= first <= last <= largest or (match["last"] and first == last):
            raise ValueError(
                f"{field} is {text!r}, and must be within {smallest} to {largest}, each range from a smaller number to "
                "a larger one"
            )
        found.update(range(first, last + 1, max(int(match["step"] or 1), 1)))
    return frozenset(found)


def _number(field: str, text: str, smallest: int, names: tuple[str, ...]) -> int:
    if text.lower() in names:
        return names.index(text.lower()) + smallest
    if not text.isdecimal():
        known = f", or one of {', '.join(names)}" if names else ""
        raise ValueError(f"{field} has {text!r}, and must have numbers{known}")
    return int(text)
