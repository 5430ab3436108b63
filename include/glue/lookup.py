"""Looks reference rows up as they were known when a prediction had to be made.

The rule is that of :mod:`include.glue.joining`, which joins in Spark what is too much for the memory of a worker. Here
the versions of a row's key lie in the order in which they become visible, each with what counts from then on, and one
bisection finds the values of an event.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from include.glue.records import ParsedTableRow
from include.lake.days import cutoff
from include.workloads.tables import JoinSpec, TableSpec

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)
_Key = tuple[Any, ...]


class Version(NamedTuple):
    """A version of a table's row; ``row`` is None if it is marked deleted.

    Of the versions that are visible, the one with the greatest ``order`` counts.
    """

    visible_at: datetime
    order: tuple[datetime, datetime, datetime]
    row: Mapping[str, Any] | None


class Lookup(NamedTuple):
    """A join of one table: for each key the instants (microseconds) from which on other values count, and these."""

    on: tuple[str, ...]
    lead: int
    width: int
    found: dict[_Key, tuple[list[int], list[tuple[Any, ...]]]]

    def values(self, payload: Mapping[str, Any], event_time: int) -> tuple[Any, ...]:
        """Returns the joined values of an event at an instant; nulls where no row was known."""
        history = self.found.get(tuple([payload[field] for field in self.on]))
        at = bisect_right(history[0], event_time - self.lead) if history else 0
        return history[1][at - 1] if history and at else (None,) * self.width


def versions_by_key(rows: Iterable[ParsedTableRow], table: TableSpec) -> dict[_Key, list[Version]]:
    """Computes from when on each version of a table's rows is visible, as ``joining.table_versions`` does.

    Args:
        rows: The good rows, in any order. Versions that were read several times count from the first time.
        table: The table's declaration.
    """
    first: dict[tuple[Any, str], tuple[Any, Any, Any]] = {}
    for row in rows:
        times: tuple[Any, Any, Any] = (row.known_at, row.version_time, row.arrived_at)
        same = (row.valid_from, row.payload or "")
        earlier = first.get(same, times)
        first[same] = (min(times[0], earlier[0]), min(times[1], earlier[1]), min(times[2], earlier[2]))
    by_row: dict[tuple[_Key, datetime], list[tuple[Any, ...]]] = defaultdict(list)
    for (valid_from, payload), (known_at, version_time, arrived_at) in first.items():
        values = json.loads(payload)
        key = tuple(values[column] for column in table.key)
        if None not in key:
            by_row[key, valid_from].append((arrived_at, version_time, payload, known_at, values))
    found: dict[_Key, list[Version]] = defaultdict(list)
    for (key, valid_from), versions in by_row.items():
        loaded = _loaded(versions, table.initial_load)
        for version in versions:
            _, version_time, _, known_at, values = version
            visible_at = valid_from if version is loaded else max(valid_from, known_at)
            shown: Mapping[str, Any] | None = None if table.deleted and _is_marked(values[table.deleted]) else values
            found[key].append(Version(visible_at, (valid_from, version_time, known_at), shown))
    return found


def make_lookup(versions: Mapping[_Key, list[Version]], table: TableSpec, join: JoinSpec) -> Lookup:
    """Prepares a join of a table's versions (:func:`versions_by_key`)."""
    found = {}
    for key, some in versions.items():
        best: tuple[Any, ...] | None = None
        times, values = list[int](), list[tuple[Any, ...]]()
        for version in sorted(some, key=lambda version: version.visible_at):
            joined = tuple([None if version.row is None else version.row[name] for name in join.fields])
            rank = (version.order, tuple((value is not None, value) for value in joined))
            if best is None or rank > best:
                best = rank
                times.append(microseconds(version.visible_at))
                values.append(joined)
        found[key] = (times, values)
    on = tuple(join.on[column] for column in table.key)
    return Lookup(on, int(join.lead.total_seconds()) * 1_000_000, len(join.fields), found)


def microseconds(instant: datetime) -> int:
    """Returns a naive UTC time as Arrow's timestamps count it."""
    since = instant - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _loaded(versions: list[tuple[Any, ...]], initial_load: date | None) -> tuple[Any, ...] | None:
    """The version of a row that history was loaded with, if it was loaded by the end of that day."""
    if initial_load is None:
        return None
    first = min(versions, key=lambda version: version[:3])
    return first if first[3] < cutoff(initial_load).replace(tzinfo=None) else None


def _is_marked(value: Any) -> bool:
    """Whether a version is marked deleted: by true, or by any time."""
    return value is not None and value is not False
