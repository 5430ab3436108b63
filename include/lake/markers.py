"""Markers: empty objects in the lake whose keys say of which days the events of a raw object are.

A raw object with events of one day has a marker in the folder of that day. With events of several days it has one
marker too, in a folder that names them all; only of days that are more than a month apart, one for each month.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import batched

from include.lake import layout
from include.lake.known import KnownFrom

MONTH = 31  # days that one marker can be of: with the times of more, a key could have more than S3's 1024 characters
_FOLDER = re.compile(r"/event_dates?=(\d{4}-\d{2}-\d{2})(?:_([0-9a-f]{8}))?/$")
_FIRST, _MICROSECOND, _BYTES = datetime.min.replace(tzinfo=UTC), timedelta(microseconds=1), 8


def marker_keys(workload: str, source: str, raw_key: str, days: Mapping[date, KnownFrom]) -> list[str]:
    """The markers of a raw object.

    Args:
        workload: The workload.
        source: The stream, or another source of events.
        raw_key: The object.
        days: Days of its events → from when on any of them counts as known.
    """
    keys, left = [], sorted(days)
    while left:
        month = [day for day in left if (day - left[0]).days < MONTH]
        keys.append(_marker_key(workload, source, raw_key, {day: days[day] for day in month}))
        left = left[len(month) :]
    return keys


def marked_days(marker: str) -> dict[date, KnownFrom | None]:
    """The days that a marker is of → from when on any event of the day in the object counts as known, if it says so."""
    folder, name = marker.rsplit("/", 1)
    days = folder_days(f"{folder}/")
    if len(days) == 1:
        return {days[0]: layout.marked_known_from(marker)}
    return dict(zip(days, _decoded(name.partition("@")[2]), strict=True))


def folder_days(folder: str) -> list[date]:
    """The days that the markers in a folder are of, in order; none if it is not a folder of markers."""
    found = _FOLDER.search(folder)
    if not found:
        return []
    first = date.fromisoformat(found[1])
    others = int(found[2] or "1", 16)
    return [first + timedelta(days=number) for number in range(MONTH) if others >> number & 1]


def one_day_from(workload: str, source: str, first: date) -> tuple[str, str]:
    """The prefix of the markers of one day each, and the key after which those begin whose day is not earlier."""
    prefix = f"{layout.index_prefix(workload, source)}event_date="
    return prefix, f"{prefix}{first}"


def several_days_from(workload: str, source: str, first: date) -> tuple[str, str]:
    """The prefix of the markers of several days, and the key after which those begin whose first day is not earlier."""
    prefix = f"{layout.index_prefix(workload, source)}event_dates="
    return prefix, f"{prefix}{first}"


def _marker_key(workload: str, source: str, raw_key: str, days: Mapping[date, KnownFrom]) -> str:
    first, *others = days
    if not others:
        return layout.marker_key(workload, source, first, raw_key, days[first])
    offsets = sum(1 << (day - first).days for day in days)
    name = layout.marker_name(workload, source, raw_key)
    return f"{several_days_from(workload, source, first)[1]}_{offsets:08x}/{name}@{_encoded(days)}"


def _encoded(days: Mapping[date, KnownFrom]) -> str:
    instants = (instant for known_from in days.values() for instant in known_from)
    numbers = b"".join(((instant - _FIRST) // _MICROSECOND).to_bytes(_BYTES) for instant in instants)
    return urlsafe_b64encode(numbers).decode().rstrip("=")


def _decoded(text: str) -> Iterator[KnownFrom]:
    numbers = batched(urlsafe_b64decode(text + "=" * (-len(text) % 4)), _BYTES)
    instants = (_FIRST + int.from_bytes(number) * _MICROSECOND for number in numbers)
    return (KnownFrom(*pair) for pair in batched(instants, 2))
