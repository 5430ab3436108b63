"""What a dry run of process reports: what the run would do and wait for, from the state table and listings alone."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from include.lake import state_keys
from include.lake.days import cutoff, format_days
from include.lake.instants import format_instant, parse_instant
from include.pipelines.protocols import StateStore
from include.workloads import Workload


def describe_dry_run(
    workload: Workload, days: Sequence[date], planned: Collection[str], objects: int, state: StateStore
) -> str:
    """Returns the report.

    Args:
        workload: The workload.
        days: The days that the run is for, in order.
        planned: Those that it would process (ISO).
        objects: How many raw objects it would read.
        state: The state table.
    """
    left = [day for day in days if day.isoformat() not in planned]
    texts = [f"Dry run: would process {format_days(map(date.fromisoformat, planned))} from {objects} raw objects."]
    if left:
        texts.append(f"Without raw data, or published from the same inputs and code already: {format_days(left)}.")
    texts.append(_wait(workload, days[-1], state))
    return " ".join(texts)


def _wait(workload: Workload, last: date, state: StateStore) -> str:
    """What the run would wait for: the watermarks that have not passed its last day."""
    waiting = []
    for source in (workload.stream.name, *workload.tables):
        item = state.get(*state_keys.watermark_key(workload.name, source))
        watermark = item and item.get("watermark")
        if not watermark or parse_instant(watermark) < cutoff(last):
            waiting.append(f"{source} ({watermark or 'nothing ingested'})")
    if not waiting:
        return "It would not have to wait for raw data."
    return f"It would wait until these are in raw up to {format_instant(cutoff(last))}: {', '.join(waiting)}."
