"""What the ingest tasks hand to each other, and the items that they keep in the state table. All are plain JSON."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

REQUEUED = "requeued-"
"""A quarantine object that is read like a shard has an id that begins with this."""


class ShardSummary(TypedDict):
    """What one run did with one shard."""

    shard_id: str
    records: int
    """Records written to raw."""
    feedback: int
    """Of these, events that came through the service's ``POST /feedback``."""
    quarantined: int
    """Records that are not events."""
    objects: int
    """Raw objects written."""
    repaired: int
    """Raw objects that a crashed run had written without their checkpoint."""
    next_recorded_at: str
    """``recorded_at`` of the first record left to the next run; empty if there was none."""
    closed: bool
    """The shard is closed and read to its end."""


class Checkpoint(TypedDict):
    """State item of a shard: how far it is read (``include.lake.state_keys.checkpoint_key``)."""

    sequence_number: str | None
    position: str
    """The sequence number padded with zeros, so that texts compare as numbers."""
    max_recorded_at: str
    """Newest ``recorded_at`` that moves the watermark; empty if there is none."""
    max_arrived_at: str
    """Newest arrival; empty if nothing was read."""
    closed: bool


class StreamWatermark(TypedDict):
    """State item of a stream: until when it is complete in raw (``include.lake.state_keys.watermark_key``)."""

    watermark: NotRequired[str]
    """Missing until a record of the stream was read."""
    entering: NotRequired[dict[str, str]]
    """Raw object → its source: those whose markers are being put at this watermark."""


class TableWatermark(TypedDict):
    """State item of a table: the upper bound of the last snapshot (``include.lake.state_keys.watermark_key``)."""

    watermark: str
    complete_from: str
    """The next run reads from here, less the overlap: the watermark, or when a transaction began that was then open."""
    overlap_seconds: int


class WatermarksReached(TypedDict):
    """What the wait for watermarks returns."""

    status: Literal["reached"]
    watermarks: dict[str, str]
    """Source → watermark, ISO 8601 UTC."""
