"""Events that no run has taken: those that arrived after their day was processed, and those of days never processed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import NamedTuple, TypedDict

from include.lake import state_keys
from include.pipelines.listing import shortened
from include.pipelines.markers import all_marked_days, marker_counts
from include.pipelines.protocols import ObjectStore, StateStore
from include.workloads import Workload
from include.workloads.comparison import RECENT_WINDOW_DAYS

AHEAD_DAYS = 31
"""Events may be of days to come, but hardly of days so far ahead."""


class ChangedDays(NamedTuple):
    """Processed days (ISO, in order) whose events arrived after they were processed."""

    late: list[str]
    """Days of the late window of a run: it processes them again."""
    earlier: list[str]
    """Days before it that a data set reads: no run processes them by itself."""


def changed_days(
    workload: Workload, requested: Iterable[str], bucket: str, *, objects: ObjectStore, state: StateStore
) -> ChangedDays:
    """Finds the processed days before a run's last day that have more raw objects now than when they were processed.

    Raw is write-once, so a day's stream objects change only by new ones. Objects of reference tables do not count: a
    row that is read after the day was complete is known after it, and is joined to none of its events.

    A refused day counts too: what arrived late may be what it lacked.

    Args:
        workload: The workload. ``dataset.late_days`` is the length of the late window.
        requested: The days that the run is asked to process (ISO).
        bucket: The lake bucket.
        objects: The lake.
        state: The state table.
    """
    asked, spec = set(requested), workload.dataset
    first, last = min(asked), max(asked)
    read = timedelta(days=spec.train_days + spec.validation_days + spec.test_days)
    window = _before(first, timedelta(days=spec.late_days))
    horizon = min(window, _before(last, max(read, timedelta(days=RECENT_WINDOW_DAYS))))
    seen = {
        day: item["markers"]
        for day, item in state.query(state_keys.day_partition_key(workload.name)).items()
        if horizon <= day < last and day not in asked and "markers" in item
    }
    now = marker_counts(workload, seen, bucket, objects)
    changed = sorted(day for day, count in seen.items() if now[day] > count)
    return ChangedDays([day for day in changed if day >= window], [day for day in changed if day < window])


class UnprocessedEvents(TypedDict):
    """Events outside a run's days that no run takes by itself, and of which people were not told yet."""

    lines: list[str]
    markers: dict[str, int]
    """Day (ISO) of the lines → how many raw objects hold events of it."""


def unprocessed_events(
    workload: Workload,
    planned: list[str],
    earlier: list[str],
    bucket: str,
    *,
    objects: ObjectStore,
    state: StateStore,
) -> UnprocessedEvents:
    """Says which events in raw no run takes by itself.

    Args:
        workload: The workload.
        planned: The days of this run (ISO), in order.
        earlier: :attr:`ChangedDays.earlier`.
        bucket: The lake bucket.
        objects: The lake.
        state: The state table.

    Returns:
        At most two lines for people, about what they were not told of yet.
    """
    last, lines = planned[-1], []
    horizon = (date.fromisoformat(last) + timedelta(days=AHEAD_DAYS)).isoformat()
    items = state.query(state_keys.day_partition_key(workload.name))
    marked = all_marked_days(workload, bucket, objects)
    outside = {day for day in marked - items.keys() - set(planned) if day < last or day > horizon}
    reported = (state.get(*state_keys.reported_events_key(workload.name)) or {}).get("markers", {})
    counts = marker_counts(workload, sorted({*outside, *earlier}), bucket, objects)
    new = {day: count for day, count in counts.items() if count > reported.get(day, 0)}
    never, earlier = [day for day in new if day in outside], [day for day in new if day in earlier]
    if never:
        lines.append(f"raw has events of {_list(never)}, which no run has processed: run process with date set to them")
    if earlier:
        lines.append(
            f"events of {_list(earlier)} arrived after these days were processed, and before the late window "
            f"(dataset.late_days is {workload.dataset.late_days}): run process with date set to them, or a backfill. "
            "Until then retrain refuses data sets that would have them"
        )
    return {"lines": lines, "markers": new}


def remember_reported(workload: str, unprocessed: UnprocessedEvents, state: StateStore) -> None:
    """Records that people were told of events, so that no later run tells them again, unless more arrive.

    Of two runs at once, one may overwrite what the other recorded: then people are told a second time.
    """
    if unprocessed["markers"]:
        key = state_keys.reported_events_key(workload)
        before = (state.get(*key) or {}).get("markers", {})
        state.put(*key, {"markers": {**before, **unprocessed["markers"]}})


def _before(day: str, length: timedelta) -> str:
    return (date.fromisoformat(day) - length).isoformat()


def _list(days: list[str]) -> str:
    return ", ".join(shortened(days, "days"))
