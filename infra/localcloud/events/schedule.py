"""The schedules of rules: ``rate(15 minutes)`` and ``cron(0 6 ? * MON-FRI *)``, in UTC."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

_RATE = re.compile(r"rate\((?P<count>[1-9]\d*) (?P<unit>minute|hour|day)(?P<plural>s?)\)")
_CRON = re.compile(r"cron\((?P<fields>[^()]*)\)")
_MINUTES = {"minute": 1, "hour": 60, "day": 24 * 60}
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")  # 1 is Sunday
_PART = re.compile(r"(?P<first>\*|\?|\w+)(?:-(?P<last>\w+))?(?:/(?P<step>[1-9]\d*))?")
_MINUTE = timedelta(minutes=1)
# How far back a start that was missed, while the server was down, is looked for.
_LOOK_BACK = timedelta(days=8)

Latest = Callable[[datetime, datetime, datetime], datetime | None]


class ScheduleError(ValueError):
    """An expression is none, or has a part that is not evaluated. The text names it."""


def parse(expression: str, minute_seconds: float = 60.0) -> Latest:
    """Returns a function that finds the newest start of a schedule in a span of time.

    Its arguments are the instant from which a rate counts, and the span: after the first, up to the second instant.

    Args:
        expression: The expression of the rule.
        minute_seconds: How long a minute of a rate takes; tests shorten it.

    Raises:
        ScheduleError: The expression is not valid, or not supported.
    """
    if rate := _RATE.fullmatch(expression):
        if (rate["count"] == "1") == bool(rate["plural"]):
            raise ScheduleError(f"{expression} is not valid: write 1 {rate['unit']}, or a number of {rate['unit']}s")
        seconds = int(rate["count"]) * _MINUTES[rate["unit"]] * minute_seconds
        return _Rate(timedelta(seconds=seconds)).latest
    if cron := _CRON.fullmatch(expression):
        return _cron(expression, cron["fields"].split()).latest
    raise ScheduleError(f"{expression} is not valid: write rate(15 minutes) or cron(0 6 ? * MON-FRI *)")


@dataclass(frozen=True)
class _Rate:
    period: timedelta

    def latest(self, counted_from: datetime, after: datetime, until: datetime) -> datetime | None:
        found = counted_from + math.floor((until - counted_from) / self.period) * self.period
        return found if found > max(after, counted_from) else None


@dataclass(frozen=True)
class _Cron:
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    years: frozenset[int]

    def latest(self, counted_from: datetime, after: datetime, until: datetime) -> datetime | None:
        moment = until.replace(second=0, microsecond=0)
        while moment > max(after, until - _LOOK_BACK):
            if self._starts(moment):
                return moment
            moment -= _MINUTE
        return None

    def _starts(self, at: datetime) -> bool:
        return (
            at.minute in self.minutes
            and at.hour in self.hours
            and at.day in self.days
            and at.month in self.months
            and at.isoweekday() % 7 + 1 in self.weekdays
            and at.year in self.years
        )


def _cron(expression: str, fields: list[str]) -> _Cron:
    if len(fields) != 6:
        raise ScheduleError(f"{expression} has {len(fields)} fields; EventBridge takes 6, the last one is the year")
    if (fields[2] == "?") == (fields[4] == "?"):
        raise ScheduleError(f"{expression} is not valid: one of day of month and day of week must be ?, not both")
    read = partial(_numbers, expression)
    return _Cron(
        minutes=read(fields[0], 0, 59),
        hours=read(fields[1], 0, 23),
        days=read(fields[2], 1, 31),
        months=read(fields[3], 1, 12, _MONTHS),
        weekdays=read(fields[4], 1, 7, _WEEKDAYS),
        years=read(fields[5], 1970, 2199),
    )


def _numbers(expression: str, text: str, low: int, high: int, names: tuple[str, ...] = ()) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ScheduleError(
                f"{expression}: {part!r} is not evaluated; write numbers, names, lists, ranges or steps"
            )
        if match["first"] in ("*", "?"):
            first, last = low, high
        else:
            first = _number(expression, match["first"], low, names)
            last = _number(expression, match["last"], low, names) if match["last"] else first
            last = high if match["step"] and not match["last"] else last
        if not low <= first <= last <= high:
            raise ScheduleError(f"{expression}: {part!r} is not within {low} to {high}")
        found.update(range(first, last + 1, int(match["step"] or 1)))
    return frozenset(found)


def _number(expression: str, text: str, low: int, names: tuple[str, ...]) -> int:
    if text.upper() in names:
        return names.index(text.upper()) + low
    if not text.isdecimal():
        raise ScheduleError(f"{expression}: {text!r} is not evaluated; write a number")
    return int(text)
