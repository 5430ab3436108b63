"""Quarantined records of a stream, read again after a mend: with the decoder of today, into raw.

Each quarantine object is read like a shard of its own, so the commit rule of raw (``include.pipelines.ingest.shard``)
holds for it too: write-once keys, repair after a crash, and a checkpoint that closes the object, so that no record gets
into raw twice. What is refused again gets into quarantine again, in a new object with today's reason, which the next
requeue reads. Nothing is deleted.

The lineage: the raw line's ``shard_id`` is the key of a state item, which has the quarantine object, the code and the
time; its ``sequence_number`` is the number of the line there, from 1.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple, TypedDict

from include.errors import NothingToDoError
from include.lake import layout, state_keys
from include.lake.instants import format_instant, parse_instant
from include.pipelines.ingest.shard import END_OF_TIME, ShardIngest
from include.pipelines.ingest.target import StreamTarget
from include.pipelines.ingest.types import REQUEUED
from include.pipelines.protocols import ObjectStore, Shard, StateStore

log = logging.getLogger(__name__)


class Requeued(TypedDict):
    """What a requeue did with one quarantine object. Also the state item (``include.lake.state_keys.requeue_key``)."""

    quarantine: str
    """Key of the quarantine object."""
    requeued_at: str
    """The records' new arrival: ISO 8601 UTC."""
    code_sha: str
    """The build that read it."""
    records: int
    """Records that are in raw now."""
    quarantined: int
    """Records that were refused again."""


@dataclass(frozen=True)
class RequeueRequest:
    """What a run is asked to read again."""

    present: datetime
    code_sha: str
    dry_run: bool = False
    """Only report the objects."""


def requeue_stream(
    target: StreamTarget, request: RequeueRequest, *, objects: ObjectStore, state: StateStore
) -> list[Requeued]:
    """Reads every quarantine object of a stream that no requeue has read to its end.

    Args:
        target: The stream and where its records go.
        request: The request.
        objects: S3.
        state: The state table.

    Returns:
        What became of each object.

    Raises:
        NothingToDoError: There is none, or it is a dry run.
    """
    workload, stream = target.workload, target.stream
    checkpoints = state.query(state_keys.checkpoint_partition_key(workload, stream))
    closed = {shard for shard, item in checkpoints.items() if item["closed"]}
    keys = list(objects.keys(target.buckets.lake, layout.quarantine_prefix(workload, stream)))
    waiting = [key for key in keys if requeue_shard(key) not in closed]
    if not waiting:
        raise NothingToDoError(f"No record of {stream} is in quarantine that was not read again: nothing to requeue.")
    if request.dry_run:
        raise NothingToDoError(
            f"Dry run: would read {len(waiting)} quarantine objects again: {', '.join(waiting[:20])}"
        )
    return [_requeue(target, key, request, objects, state) for key in waiting]


def requeue_shard(key: str) -> str:
    """Returns the name under which a quarantine object is read like a shard."""
    return f"{REQUEUED}{hashlib.sha256(key.encode()).hexdigest()[:20]}"


def _requeue(
    target: StreamTarget, key: str, request: RequeueRequest, objects: ObjectStore, state: StateStore
) -> Requeued:
    shard = requeue_shard(key)
    item_key = state_keys.requeue_key(target.workload, target.stream, shard)
    # A run that repairs a crashed one must find the same arrival, because the raw object's name has its day.
    item = state.get(*item_key) or {"quarantine": key, "requeued_at": format_instant(request.present)}
    item["code_sha"] = request.code_sha
    state.put(*item_key, item)
    source = _QuarantineSource(target.buckets.lake, key, parse_instant(item["requeued_at"]), objects)
    # The stream's own runs move its watermark meanwhile, so each batch is read at the watermark of that moment.
    target = replace(target, watermark_of=target.stream)
    summary = ShardIngest(target, shard, END_OF_TIME, source=source, objects=objects, state=state).run()
    done: Requeued = {
        "quarantine": key,
        "requeued_at": item["requeued_at"],
        "code_sha": request.code_sha,
        "records": summary["records"],
        "quarantined": summary["quarantined"],
    }
    state.put(*item_key, done)
    log.info("%s: %s records are in raw now, %s were refused again", key, done["records"], done["quarantined"])
    return done


class _Record(NamedTuple):
    sequence_number: str
    arrived_at: datetime
    data: bytes


class _QuarantineSource:
    """A quarantine object as a stream of one closed shard."""

    def __init__(self, bucket: str, key: str, arrived_at: datetime, objects: ObjectStore) -> None:
        self._bucket, self._key, self._arrived_at, self._objects = bucket, key, arrived_at, objects

    def shards(self, stream: str) -> list[Shard]:
        return [{"shard_id": requeue_shard(self._key), "parents": []}]

    def reader(self, stream: str, shard_id: str, until: datetime) -> _QuarantineReader:
        return _QuarantineReader(self)

    def records(self) -> Iterator[_Record]:
        with gzip.open(self._objects.open(self._bucket, self._key)) as lines:
            for number, line in enumerate(lines, 1):
                data = base64.b64decode(json.loads(line)["data_base64"])
                yield _Record(str(number), self._arrived_at, data)


class _QuarantineReader:
    """Reads the object in order; it always ends."""

    ended, stopped_at = True, None

    def __init__(self, source: _QuarantineSource) -> None:
        self._source = source

    def records(self, after: str | None) -> Iterator[_Record]:
        return (record for record in self._source.records() if int(record.sequence_number) > int(after or 0))
