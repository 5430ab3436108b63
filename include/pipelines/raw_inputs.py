"""The raw objects that a day is made of: those that its markers name, and every object of the reference tables."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import reduce
from typing import NamedTuple

from include.lake import layout
from include.lake.buckets import DataBuckets
from include.lake.known import KnownFrom, earliest, from_metadata
from include.pipelines.markers import marked
from include.pipelines.protocols import ObjectStore
from include.workloads import Workload

Checksums = dict[str, str]


class ObjectSize(NamedTuple):
    """What a raw object holds."""

    rows: int
    bytes: int


class RawInputs(NamedTuple):
    """Raw objects by what they belong to. Keys map to SHA-256 checksums (base64, as S3 gives them)."""

    days: dict[str, Checksums]
    """Day → the objects of the stream and of dropped files with at least one event of the day."""
    tables: dict[str, Checksums]
    """Reference table → its objects."""
    known_from: dict[str, KnownFrom | None]
    """Key → from when on anything in the object counts as known; of an object with events, only those of the days
    count. None: the object does not say."""
    sizes: dict[str, ObjectSize]
    """Key → size."""

    def of(self, days: Iterable[str]) -> Checksums:
        """Returns the objects with events of several days."""
        return {key: checksum for day in days for key, checksum in self.days[day].items()}

    def size(self, days: Iterable[str]) -> ObjectSize:
        """Returns what a job that makes these days reads of the stream."""
        sizes = [self.sizes[key] for key in self.of(days)]
        return ObjectSize(sum(size.rows for size in sizes), sum(size.bytes for size in sizes))


def workload_inputs(
    workload: Workload, days: Iterable[date], *, buckets: DataBuckets, objects: ObjectStore
) -> RawInputs:
    """Lists the raw objects of the days: those that a day's markers name, and every object of the reference tables.

    Days without raw data are left out; without any, so are the tables. The checksum of an object is requested once,
    however many days it belongs to.

    Args:
        workload: The workload.
        days: The days.
        buckets: The markers are in the lake bucket, the objects in the raw bucket.
        objects: S3.
    """
    name, asked = workload.name, list(days)
    keys_of: dict[str, set[str]] = {}
    times: dict[str, list[KnownFrom | None]] = {}
    for day, key, known_from in marked(workload, asked, buckets.lake, objects):
        keys_of.setdefault(day, set()).add(key)
        times.setdefault(key, []).append(known_from)
    in_order = {day: sorted(keys_of[day]) for day in map(str, asked) if day in keys_of}
    prefixes = {table: layout.raw_prefix(name, table) for table in workload.tables} if in_order else {}
    tables = {table: list(objects.keys(buckets.raw, prefix)) for table, prefix in prefixes.items()}
    all_keys = {key for keys in (*in_order.values(), *tables.values()) for key in keys}
    stored = objects.stored(buckets.raw, sorted(all_keys))
    return RawInputs(
        {day: {key: stored[key].sha256 for key in keys} for day, keys in in_order.items()},
        {table: {key: stored[key].sha256 for key in keys} for table, keys in tables.items()},
        {key: _earliest(found) for key, found in times.items()}
        | {key: from_metadata(stored[key].metadata) for keys in tables.values() for key in keys},
        {key: ObjectSize(int(found.metadata.get("records", 0)), found.size) for key, found in stored.items()},
    )


def _earliest(times: list[KnownFrom | None]) -> KnownFrom | None:
    known = [found for found in times if found is not None]
    return reduce(earliest, known) if len(known) == len(times) else None
