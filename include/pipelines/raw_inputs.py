"""The raw objects that a day is made of: those that its markers name, and every object of the reference tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import partial
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
    """Lists the raw objects of the days. Days without raw data are left out; without any, so are the tables."""
    name, stream = workload.name, workload.stream.name
    return list_inputs(
        objects,
        bucket,
        {day.isoformat(): layout.marker_prefix(name, stream, day) for day in days},
        partial(layout.marked_raw_key, name, stream),
        {table: layout.raw_prefix(name, table) for table in workload.tables},
    )


def list_inputs(
    lake: ObjectStore,
    bucket: str,
    marker_prefixes: Mapping[str, str],
    raw_key: Callable[[str], str],
    table_prefixes: Mapping[str, str],
) -> RawInputs:
    """Lists the raw objects of each day of ``marker_prefixes``; see :func:`workload_inputs`.

    The checksum of an object is requested once, however many days it belongs to.

    Args:
        lake: The objects.
        bucket: The lake bucket.
        marker_prefixes: Day → prefix of its markers.
        raw_key: Returns the key of the raw object that a marker names.
        table_prefixes: Reference table → prefix of its objects.
    """
    marked = {day: [raw_key(marker) for marker in lake.keys(bucket, prefix)] for day, prefix in marker_prefixes.items()}
    marked = {day: keys for day, keys in marked.items() if keys}
    tables = {table: list(lake.keys(bucket, prefix)) for table, prefix in table_prefixes.items()} if marked else {}
    keys = sorted({key for found in (*marked.values(), *tables.values()) for key in found})
    stored = lake.stored(bucket, keys)
    return RawInputs(
        {day: {key: stored[key].sha256 for key in found} for day, found in marked.items()},
        {table: {key: stored[key].sha256 for key in found} for table, found in tables.items()},
        {key: found.metadata for key, found in stored.items()},
    )
