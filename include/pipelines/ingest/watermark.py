"""Watermarks: the instant up to which a source is complete in raw."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime

from include.errors import NothingToDoError
from include.lake import layout
from include.lake.instants import format_instant, parse_instant
from include.pipelines.ingest.types import ShardSummary, StreamWatermark, WatermarksReached
from include.pipelines.protocols import StateItems, StateStore
from include.workloads import Workload

log = logging.getLogger(__name__)


def advance_watermark(
    workload: Workload,
    groups: Iterable[Iterable[ShardSummary]],
    until: datetime,
    complete_to: datetime | None,
    *,
    state: StateStore,
) -> str | None:
    """Moves the stream's watermark forward; it never moves back, and never beyond the end of the run.

    Clock ``arrived_at``: the watermark is the end of the run. Clock ``recorded_at``: the newest ``recorded_at`` read so
    far, but not later than that of a record left unread (producers write in the order in which they record).

    Args:
        workload: The workload, with its stream and clock.
        groups: What :func:`include.pipelines.ingest.stream.ingest_lineage` returned for each group of shards.
        until: The end of the run.
        complete_to: The instant up to which everything was sent, if the caller knows it (a replay does).
        state: The state table.

    Returns:
        The watermark of this run as ISO 8601 text; None if no record has been read yet.

    Raises:
        NothingToDoError: No record was read. The watermark is advanced nevertheless: an empty interval is complete too.
    """
    name, stream, end = workload.name, workload.stream.name, format_instant(until)
    summaries = [summary for group in groups for summary in group]
    watermark = (
        end if workload.clock == "arrived_at" else min(end, _recorded(name, stream, summaries, complete_to, state))
    )
    item: StreamWatermark = {"watermark": watermark}
    if watermark and state.advance(*layout.watermark_key(name, stream), item, "watermark"):
        log.info("The stream is complete in raw up to %s (%s)", watermark, workload.clock)
    if not any(summary["records"] + summary["quarantined"] + summary["repaired"] for summary in summaries):
        raise NothingToDoError(f"No record arrived before {end} that was not in raw already: nothing to ingest.")
    return watermark or None


def watermark_status(items: StateItems, at_least: datetime) -> WatermarksReached | None:
    """Returns the watermarks once every source's watermark is ``at_least`` or later, else None."""
    marks = {source: (item or {}).get("watermark") for (_, source), item in items.items()}
    if all(mark and parse_instant(mark) >= at_least for mark in marks.values()):
        return {"status": "reached", "watermarks": {source: str(mark) for source, mark in marks.items()}}
    return None


def _recorded(
    workload: str, stream: str, summaries: list[ShardSummary], complete_to: datetime | None, state: StateStore
) -> str:
    """The watermark by the clock ``recorded_at``; empty if no record has been read yet."""
    checkpoints = state.query(layout.checkpoint_partition_key(workload, stream))
    read = [item.get("max_recorded_at", "") for item in checkpoints.values()]
    if complete_to:
        read.append(format_instant(complete_to))
    unread = [summary["next_recorded_at"] for summary in summaries if summary["next_recorded_at"]]
    return min([max(read, default=""), *unread])
