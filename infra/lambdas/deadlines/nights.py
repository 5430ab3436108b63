"""Which nights must have ended: computed from the schedules of the workloads, never from what Airflow has started.

A night begins when a workload's process or retrain run is due, and is named after the last day of data that it is for,
the day before. It must have ended ``deadline`` after the retrain run's time, or, in a night without one, after the
process run's.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from include.workloads.cron import parse_cron

ONE_DAY = timedelta(days=1)
LONGEST = 370  # days between two process runs that are looked at
_DURATION = re.compile(r"P(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?")


@dataclass(frozen=True)
class Schedule:
    """When a workload's runs are due.

    Attributes:
        process: Cron expression of the process runs.
        retrain: Cron expression of the retrain runs.
        zone: The time zone of both.
        start: The first day that a scheduled run is for.
        deadline: How long a night may take.
        deploys: Whether an approved version is deployed without a person.
    """

    process: str
    retrain: str
    zone: tzinfo
    start: date
    deadline: timedelta
    deploys: bool

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> Schedule:
        """Reads an entry of ``nights.json`` (``infra/package/functions.py``)."""
        return cls(
            process=entry["process"],
            retrain=entry["retrain"],
            zone=read_zone(entry["timezone"], entry["zone"]),
            start=date.fromisoformat(entry["start"]),
            deadline=read_duration(entry["deadline"]),
            deploys=entry["deploys"],
        )


@dataclass(frozen=True)
class Night:
    """What is expected of one night.

    Attributes:
        day: The last day that it is for, which is its name.
        days: The days that must be published.
        due: When it must have ended.
        retrains: Whether a model must have been decided on for ``day``.
    """

    day: date
    days: tuple[date, ...]
    due: datetime
    retrains: bool


def read_zone(name: str, file: str | None) -> tzinfo:
    """Returns a time zone from its file in base64, because Lambda's runtime may have none; UTC without a file."""
    return ZoneInfo.from_file(io.BytesIO(base64.b64decode(file)), name) if file else UTC


def read_duration(text: str) -> timedelta:
    """Reads an ISO 8601 duration of days, hours, minutes and seconds.

    Raises:
        ValueError: It is none.
    """
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groupdict().values()):
        raise ValueError(f"{text!r} is no ISO 8601 duration of days, hours, minutes and seconds, like PT6H")
    return timedelta(**{name: int(value) for name, value in match.groupdict().items() if value})


def night_of(schedule: Schedule, day: date) -> Night | None:
    """Returns the night that is named after a day; None if no run is due on the local date after it."""
    process, retrain = parse_cron(schedule.process), parse_cron(schedule.retrain)
    begins = day + ONE_DAY
    processes, retrains = process.fires_on(begins), retrain.fires_on(begins)
    if day < schedule.start or not (processes or retrains):
        return None
    at = datetime.combine(begins, retrain.at if retrains else process.at, schedule.zone).astimezone(UTC)
    first = day
    if processes:
        while not process.fires_on(first) and first > schedule.start and (day - first).days < LONGEST:
            first -= ONE_DAY
    days = tuple(first + ONE_DAY * offset for offset in range((day - first).days + 1))
    return Night(day, days, at + schedule.deadline, retrains)


def nights_due(schedule: Schedule, since: datetime, now: datetime) -> Iterator[Night]:
    """Yields the nights whose deadline was after ``since`` and has passed, oldest first."""
    day = since.astimezone(schedule.zone).date() - schedule.deadline - ONE_DAY * 2
    while day <= now.astimezone(schedule.zone).date():
        night = night_of(schedule, day)
        if night and since < night.due <= now:
            yield night
        day += ONE_DAY


def nights_between(schedule: Schedule, first: date, last: date) -> Iterator[Night]:
    """Yields the nights of a range of days, oldest first, whatever the time."""
    for offset in range((last - first).days + 1):
        if night := night_of(schedule, first + ONE_DAY * offset):
            yield night
