"""Reads the markers of raw objects: which of them hold events of some days."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import NamedTuple

from include.lake import layout
from include.lake.known import KnownFrom
from include.lake.markers import MONTH, folder_days, marked_days, one_day_from, several_days_from
from include.pipelines.protocols import ObjectStore
from include.workloads import Workload

DAY = timedelta(days=1)


class Marked(NamedTuple):
    """A raw object with events of a day.

    Attributes:
        day: ISO.
        key: The object's key.
        known_from: From when on any of the events counts as known; None if the marker does not say.
    """

    day: str
    key: str
    known_from: KnownFrom | None


def marked(workload: Workload, days: Iterable[date], bucket: str, objects: ObjectStore) -> Iterator[Marked]:
    """Iterates over the raw objects with events of some days, for each of their days.

    An object may come twice, if a run that was repaired had put markers of another form.

    Args:
        workload: The workload, with its sources of events.
        days: The days.
        bucket: The lake bucket.
        objects: S3.
    """
    wanted = set(days)
    for source in workload.event_sources if wanted else ():
        for marker in _markers(workload.name, source, wanted, bucket, objects):
            found = marked_days(marker).items()
            key = layout.marked_raw_key(workload.name, source, marker)
            yield from (Marked(day.isoformat(), key, known_from) for day, known_from in found if day in wanted)


def _markers(workload: str, source: str, wanted: set[date], bucket: str, objects: ObjectStore) -> Iterator[str]:
    """The markers that may be of one of the days; the number of requests depends on them, and not on the history."""
    for first, last in _rows(wanted):
        yield from _of_one_day(workload, source, first, last, bucket, objects)
    # Each raw object may have a folder of its own here, so folders are not listed one by one.
    before = min(wanted) - timedelta(days=MONTH)
    for marker in objects.keys(bucket, *several_days_from(workload, source, before)):
        days = folder_days(marker.rpartition("/")[0] + "/")
        if days and days[0] > max(wanted):
            return
        if not wanted.isdisjoint(days):
            yield marker


def _rows(days: set[date]) -> Iterator[tuple[date, date]]:
    """First and last day of each row of days without a gap: a request lists the markers of many days."""
    for first in sorted(day for day in days if day - DAY not in days):
        last = first
        while last + DAY in days:
            last += DAY
        yield first, last


def _of_one_day(
    workload: str, source: str, first: date, last: date, bucket: str, objects: ObjectStore
) -> Iterator[str]:
    """The markers of one day each, from the first day to the last."""
    if first == last:
        yield from objects.keys(bucket, layout.marker_prefix(workload, source, first))
        return
    end = layout.marker_prefix(workload, source, last + DAY)
    for marker in objects.keys(bucket, *one_day_from(workload, source, first)):
        if marker >= end:
            return
        yield marker


def marker_counts(workload: Workload, days: Iterable[str], bucket: str, objects: ObjectStore) -> dict[str, int]:
    """Returns how many raw objects hold events of each day (ISO)."""
    found: dict[str, set[str]] = {day: set() for day in days}
    for day, key, _ in marked(workload, map(date.fromisoformat, found), bucket, objects):
        found[day].add(key)
    return {day: len(keys) for day, keys in found.items()}


def all_marked_days(workload: Workload, bucket: str, objects: ObjectStore) -> set[str]:
    """Returns the days (ISO) that raw has events of."""
    prefixes = (layout.index_prefix(workload.name, source) for source in workload.event_sources)
    folders = (folder for prefix in prefixes for folder in objects.folders(bucket, prefix))
    return {day.isoformat() for folder in folders for day in folder_days(folder)}
