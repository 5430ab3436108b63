"""Events that no run has taken: those that came after their day was published, and those of days never processed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from include.lake import layout
from include.pipelines.protocols import ObjectStore, StateStore
from include.workloads import Workload
from include.workloads.comparison import RECENT_WINDOW_DAYS

AHEAD_DAYS = 31
"""Events may be of days to come, but hardly of days so far ahead."""
_SHOWN = 10


def marker_counts(workload: Workload, days: Iterable[str], bucket: str, objects: ObjectStore) -> dict[str, int]:
    """Returns how many raw objects hold events of each day."""

    def markers(day: str) -> int:
        prefixes = [
            layout.marker_prefix(workload.name, name, date.fromisoformat(day)) for name in workload.event_sources
        ]
        return sum(1 for prefix in prefixes for _ in objects.keys(bucket, prefix))

    return {day: markers(day) for day in days}


def late_days(
    workload: Workload, planned: Iterable[str], bucket: str, *, objects: ObjectStore, state: StateStore
) -> list[date]:
    """Finds published days whose events arrived after they were published, and that new data sets may read.

    Args:
        workload: The workload.
        planned: The days that a run is asked to process (ISO).
        bucket: The lake bucket.
        objects: The lake.
        state: The state table.
    """
    requested, spec = set(planned), workload.dataset
    last = max(requested)
    read = timedelta(days=spec.train_days + spec.validation_days + spec.test_days)
    first = (date.fromisoformat(last) - max(read, timedelta(days=RECENT_WINDOW_DAYS))).isoformat()
    published = {
        day: item["markers"]
        for day, item in state.query(layout.day_partition_key(workload.name)).items()
        if first <= day < last and day not in requested and item.get("status") == "published" and "markers" in item
    }
    now = marker_counts(workload, published, bucket, objects)
    return [date.fromisoformat(day) for day, seen in sorted(published.items()) if now[day] > seen]


def unprocessed_events(
    workload: Workload, planned: list[str], bucket: str, *, objects: ObjectStore, state: StateStore
) -> list[str]:
    """Finds days whose events are in raw and that no run has processed.

    Args:
        workload: The workload.
        planned: The days of this run (ISO), in order.
        bucket: The lake bucket.
        objects: The lake.
        state: The state table.

    Returns:
        A line for people, or none.
    """
    last = planned[-1]
    horizon = (date.fromisoformat(last) + timedelta(days=AHEAD_DAYS)).isoformat()
    items = state.query(layout.day_partition_key(workload.name))
    marked = set(_marked_days(workload, bucket, objects))
    never = sorted(day for day in marked - items.keys() - set(planned) if day < last or day > horizon)
    if not never:
        return []
    return [f"raw has events of {_list(never)}, which no run has processed: run process with date set to them"]


def _marked_days(workload: Workload, bucket: str, objects: ObjectStore) -> Iterable[str]:
    for source in workload.event_sources:
        for folder in objects.folders(bucket, layout.index_prefix(workload.name, source)):
            yield folder.rstrip("/").rsplit("=", 1)[-1]


def _list(days: list[str]) -> str:
    more = len(days) - _SHOWN
    return ", ".join(days[:_SHOWN]) + (f" and {more} more days" if more > 0 else "")
