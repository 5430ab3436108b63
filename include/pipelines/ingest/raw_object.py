"""A raw object of events that exists: what it says about itself, and its markers."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import NamedTuple

from include.lake.buckets import DataBuckets
from include.lake.instants import parse_instant
from include.lake.known import KnownFrom, earliest
from include.lake.markers import marker_keys
from include.pipelines.ingest.batch import latest
from include.pipelines.ingest.decode import event_times
from include.pipelines.ingest.entries import trusted_recorded_at
from include.pipelines.protocols import ObjectStore


class RawContent(NamedTuple):
    """What a raw object contains. The fields are those of :class:`include.pipelines.ingest.batch.Batch`."""

    days: dict[str, KnownFrom]
    max_recorded_at: datetime | None
    max_arrived_at: datetime | None


def read_content(key: str, heartbeat: str | None, *, buckets: DataBuckets, objects: ObjectStore) -> RawContent:
    """Reads a raw object.

    Args:
        key: Its key.
        heartbeat: The event type that alone moves the watermark, if any; its events are of no day.
        buckets: The object is in the raw bucket.
        objects: S3.
    """
    days: dict[str, KnownFrom] = {}
    recorded = arrived = None
    with gzip.open(objects.open(buckets.raw, key)) as lines:
        for line in lines:
            raw = json.loads(line)
            event_time, recorded_at = event_times(raw["event"])
            day, arrived_at = event_time.date().isoformat(), parse_instant(raw["arrived_at"])
            arrived = latest(arrived, arrived_at)
            is_heartbeat = raw["event"]["event_type"] == heartbeat
            if not is_heartbeat:
                watermark = raw.get("watermark")
                known_from = KnownFrom.of(recorded_at, arrived_at, parse_instant(watermark) if watermark else None)
                days[day] = earliest(days.get(day, known_from), known_from)
            if is_heartbeat or heartbeat is None:
                recorded = latest(recorded, trusted_recorded_at(recorded_at, arrived_at))
    return RawContent(days, recorded, arrived)


def put_markers(
    workload: str,
    source: str,
    key: str,
    days: Mapping[str, KnownFrom],
    *,
    buckets: DataBuckets,
    objects: ObjectStore,
) -> None:
    """Puts a raw object's markers into the lake bucket: one, unless the days of its events are far apart."""
    marked = {date.fromisoformat(day): known_from for day, known_from in days.items()}
    for marker in marker_keys(workload, source, key, marked):
        objects.put(buckets.lake, marker, b"")
