"""Which raw objects a day is made of: those that the day's markers name, and every table object."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from include.pipelines.protocols import ObjectStore

Checksums = dict[str, str]


class RawInputs(NamedTuple):
    """Key → SHA-256 checksum: of each day's stream objects, and of each table's objects; key → metadata of each."""

    days: dict[str, Checksums]
    tables: dict[str, Checksums]
    metadata: dict[str, dict[str, str]]

    def of(self, days: Iterable[str]) -> Checksums:
        """The stream objects of several days."""
        return {key: checksum for day in days for key, checksum in self.days[day].items()}


def list_inputs(
    lake: ObjectStore,
    bucket: str,
    marker_prefixes: Mapping[str, str],
    raw_key: Callable[[str], str],
    table_prefixes: Mapping[str, str],
) -> RawInputs:
    """Lists what is in raw for each day of ``marker_prefixes`` (day → prefix); days without any object are left out.

    ``raw_key`` gives the raw object that a marker names. Each object's checksum is asked for once, however many days it is in.
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
