"""Kinesis stream → raw: which shards have to be read, and reading a group of them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime

from include.lake import state_keys
from include.pipelines.ingest.lineage import lineages
from include.pipelines.ingest.shard import ShardIngest
from include.pipelines.ingest.target import StreamTarget
from include.pipelines.ingest.types import ShardSummary
from include.pipelines.protocols import ObjectStore, RecordSource, Shard, StateStore

log = logging.getLogger(__name__)


def unread_lineages(workload: str, stream: str, *, source: RecordSource, state: StateStore) -> list[list[Shard]]:
    """Groups the shards that are not read to their end, parents first."""
    checkpoints = state.query(state_keys.checkpoint_partition_key(workload, stream))
    return lineages(source.shards(stream), {shard_id for shard_id, item in checkpoints.items() if item["closed"]})


def ingest_lineage(
    target: StreamTarget,
    shards: Sequence[Shard],
    until: datetime,
    *,
    source: RecordSource,
    objects: ObjectStore,
    state: StateStore,
) -> list[ShardSummary]:
    """Reads a group of related shards into raw, in order.

    A shard whose parents are not read to their end is left to the next run: its records come after its parents'.

    Args:
        target: The stream and where its records go.
        shards: The group, parents first.
        until: The first record that arrived at this instant or later, and all records after it, are left to the next
            run.
        source: The stream.
        objects: S3.
        state: The state table.

    Returns:
        A summary of each shard that was read.
    """
    summaries: list[ShardSummary] = []
    drained: set[str] = set()
    for shard in shards:
        shard_id = shard["shard_id"]
        if not set(shard["parents"]) <= drained:
            log.info("%s is left to the next run: its parents %s are not read to their end", shard_id, shard["parents"])
            continue
        summary = ShardIngest(target, shard_id, until, source=source, objects=objects, state=state).run()
        log.info("%s", summary)
        if summary["closed"]:
            drained.add(shard_id)
        summaries.append(summary)
    return summaries


def feedback_events(groups: Iterable[Iterable[ShardSummary]]) -> int:
    """Returns how many events of a run came through the service's ``POST /feedback``."""
    return sum(summary["feedback"] for group in groups for summary in group)
