"""Watermarks: the instant up to which a source is complete in raw."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from include.errors import NothingToDoError
from include.lake import state_keys
from include.lake.buckets import DataBuckets
from include.lake.instants import format_instant, parse_instant
from include.pipelines.ingest.entering import move_watermark
from include.pipelines.ingest.raw_object import put_markers, read_content
from include.pipelines.ingest.types import REQUEUED, ShardSummary
from include.pipelines.protocols import ObjectStore, StateStore
from include.workloads import Workload

log = logging.getLogger(__name__)


def advance_watermark(
    workload: Workload,
    groups: Iterable[Iterable[ShardSummary]],
    until: datetime,
    complete_to: datetime | None,
    *,
    buckets: DataBuckets,
    objects: ObjectStore,
    state: StateStore,
) -> str | None:
    """Moves the stream's watermark forward; it never moves back, and never beyond the end of the run.

    Clock ``arrived_at``: the watermark is the end of the run. Clock ``recorded_at``: ``complete_to`` if the caller
    knows it, else what ``stream.complete`` of the workload says: the newest ``recorded_at`` read so far, that of the
    newest heartbeat, or, once no record has arrived for the quiet period, the end of the run less that period. But not
    later than the ``recorded_at`` of a record left unread (producers write in the order in which they record).

    Args:
        workload: The workload, with its stream and clock.
        groups: What :func:`include.pipelines.ingest.stream.ingest_lineage` returned for each group of shards.
        until: The end of the run, by the reader's clock: not in the future.
        complete_to: The instant up to which everything was sent, if the caller knows it (a replay does): the clock of
            what is replayed. No record moves the watermark beyond it.
        buckets: Raw and the lake, for the markers of what gets into raw beside the stream.
        objects: S3.
        state: The state table.

    Returns:
        The watermark of this run as ISO 8601 text; None if no record has been read yet.

    Raises:
        NothingToDoError: No record was read. The watermark is advanced nevertheless: an empty interval is complete too.
    """
    name, stream = workload.name, workload.stream.name
    summaries = [summary for group in groups for summary in group]
    watermark = until if workload.clock == "arrived_at" else _recorded(workload, summaries, until, complete_to, state)
    text = format_instant(watermark) if watermark else None

    def mark(raw_key: str, source: str) -> None:
        heartbeat = workload.stream.complete.event if source == stream else None
        content = read_content(raw_key, heartbeat, buckets=buckets, objects=objects)
        put_markers(name, source, raw_key, content.days, buckets=buckets, objects=objects)

    if text and move_watermark(state_keys.watermark_key(name, stream), text, mark, state):
        log.info("The stream is complete in raw up to %s (%s)", text, workload.clock)
    if not any(summary["records"] + summary["quarantined"] + summary["repaired"] for summary in summaries):
        raise NothingToDoError(
            f"No record arrived before {format_instant(until)} that was not in raw already: nothing to ingest."
        )
    return text


def _recorded(
    workload: Workload,
    summaries: list[ShardSummary],
    until: datetime,
    complete_to: datetime | None,
    state: StateStore,
) -> datetime | None:
    """The watermark by the clock ``recorded_at``; None if no record has been read yet."""
    bounds = [parse_instant(summary["next_recorded_at"]) for summary in summaries if summary["next_recorded_at"]]
    if complete_to:
        return min(until, complete_to, *bounds)
    found = state.query(state_keys.checkpoint_partition_key(workload.name, workload.stream.name))
    checkpoints = {shard_id: item for shard_id, item in found.items() if not shard_id.startswith(REQUEUED)}
    times = [*_newest(checkpoints, until), *_quiet_since(workload, checkpoints, until)]
    return min([max(times), *bounds]) if times else None


def _newest(checkpoints: Mapping[str, Mapping[str, Any]], until: datetime) -> Iterator[datetime]:
    """Each shard's newest ``recorded_at`` that moves the watermark, if it is not later than the end of the run."""
    for shard_id, recorded_at in _instants(checkpoints, "max_recorded_at"):
        if recorded_at <= until:
            yield recorded_at
        else:
            text = format_instant(recorded_at)
            log.warning("%s is ignored: its newest recorded_at, %s, is after the end of the run", shard_id, text)


def _quiet_since(
    workload: Workload, checkpoints: Mapping[str, Mapping[str, Any]], until: datetime
) -> Iterator[datetime]:
    """The end of the run less the quiet period, if the workload declares one and no record arrived in it."""
    period = workload.stream.complete.period
    last = max((arrived_at for _, arrived_at in _instants(checkpoints, "max_arrived_at")), default=None)
    if period and last and last <= until - period:
        log.info("No record arrived since %s: the stream is quiet", format_instant(last))
        yield until - period


def _instants(checkpoints: Mapping[str, Mapping[str, Any]], attribute: str) -> Iterator[tuple[str, datetime]]:
    """Shard and instant of the checkpoints that have it."""
    for shard_id, item in checkpoints.items():
        if item.get(attribute):
            yield shard_id, parse_instant(item[attribute])
