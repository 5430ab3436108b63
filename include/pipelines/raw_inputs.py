"""The raw objects that a day is made of: those that its markers name, and every object of the reference tables."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from include.lake import layout
from include.pipelines.protocols import ObjectStore
from include.workloads import Workload

Checksums = dict[str, str]


class RawInputs(NamedTuple):
    """Raw objects by what they belong to. Keys map to SHA-256 checksums (base64, as S3 gives them) or to metadata."""

    days: dict[str, Checksums]
    """Day → the stream's objects with at least one event of the day."""
    tables: dict[str, Checksums]
    """Reference table → its objects."""
    metadata: dict[str, dict[str, str]]
    """User metadata of every object."""

    def of(self, days: Iterable[str]) -> Checksums:
        """Returns the stream objects of several days."""
        return {key: checksum for day in days for key, checksum in self.days[day].items()}


def workload_inputs(workload: Workload, days: Iterable[date], *, bucket: str, objects: ObjectStore) -> RawInputs:
    """Lists the raw objects of the days: those that a day's markers name, and every object of the reference tables.

    Days without raw data are left out; without any, so are the tables. The checksum of an object is requested once,
    however many days it belongs to.

    Args:
        workload: The workload.
        days: The days.
        bucket: The lake bucket.
        objects: S3.
    """
    name, stream = workload.name, workload.stream.name
    marked = {}
    for day in days:
        markers = objects.keys(bucket, layout.marker_prefix(name, stream, day))
        if keys := [layout.marked_raw_key(name, stream, marker) for marker in markers]:
            marked[day.isoformat()] = keys
    prefixes = {table: layout.raw_prefix(name, table) for table in workload.tables} if marked else {}
    tables = {table: list(objects.keys(bucket, prefix)) for table, prefix in prefixes.items()}
    stored = objects.stored(bucket, sorted({key for keys in (*marked.values(), *tables.values()) for key in keys}))
    return RawInputs(
        {day: {key: stored[key].sha256 for key in keys} for day, keys in marked.items()},
        {table: {key: stored[key].sha256 for key in keys} for table, keys in tables.items()},
        {key: found.metadata for key, found in stored.items()},
    )
