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

    Clock ``arrived_at``: the watermark is the end of the run. Clock ``recorded_at``: ``complete_to`` if the caller
    knows it, else the newest ``recorded_at`` read so far; but not later than that of a record left unread (producers
    write in the order in which they record).

    Args:
        workload: The workload, with its stream and clock.
        groups: What :func:`include.pipelines.ingest.stream.ingest_lineage` returned for each group of shards.
        until: The end of the run, by the reader's clock: not in the future.
        complete_to: The instant up to which everything was sent, if the caller knows it (a replay does): the clock of
            what is replayed. No record moves the watermark beyond it.
        state: The state table.

    Returns:
        The watermark of this run as ISO 8601 text; None if no record has been read yet.

    Raises:
        NothingToDoError: No record was read. The watermark is advanced nevertheless: an empty interval is complete too.
    """
    name, stream = workload.name, workload.stream.name
    summaries = [summary for group in groups for summary in group]
    watermark = (
        until if workload.clock == "arrived_at" else _recorded(name, stream, summaries, until, complete_to, state)
    )
    text = format_instant(watermark) if watermark else None
    if text and state.advance(*layout.watermark_key(name, stream), StreamWatermark(watermark=text), "watermark"):
        log.info("The stream is complete in raw up to %s (%s)", text, workload.clock)
    if not any(summary["records"] + summary["quarantined"] + summary["repaired"] for summary in summaries):
        raise NothingToDoError(
            f"No record arrived before {format_instant(until)} that was not in raw already: nothing to ingest."
        )
    return text


def watermark_status(items: StateItems, at_least: datetime) -> WatermarksReached | None:
    """Returns the watermarks once every source's watermark is ``at_least`` or later, else None."""
    marks = {source: (item or {}).get("watermark") for (_, source), item in items.items()}
    if all(mark and parse_instant(mark) >= at_least for mark in marks.values()):
        return {"status": "reached", "watermarks": {source: str(mark) for source, mark in marks.items()}}
    return None


def _recorded(
    workload: str,
    stream: str,
    summaries: list[ShardSummary],
    until: datetime,
    complete_to: datetime | None,
    state: StateStore,
) -> datetime | None:
    """The watermark by the clock ``recorded_at``; None if no record has been read yet."""
    bounds = [parse_instant(summary["next_recorded_at"]) for summary in summaries if summary["next_recorded_at"]]
    if complete_to:
        return min(until, complete_to, *bounds)
    checkpoints = state.query(layout.checkpoint_partition_key(workload, stream))
    read = {shard_id: item["max_recorded_at"] for shard_id, item in checkpoints.items() if item.get("max_recorded_at")}
    past = []
    for shard_id, text in read.items():
        if (recorded_at := parse_instant(text)) <= until:
            past.append(recorded_at)
        else:
            log.warning("%s is ignored: its newest recorded_at, %s, is after the end of the run", shard_id, text)
    return min([max(past), *bounds]) if past else None
