"""Where the records of a stream go."""

from __future__ import annotations

from dataclasses import dataclass

from include.lake.buckets import DataBuckets
from include.lake.known import Clock
from include.workloads import Workload


@dataclass(frozen=True)
class StreamTarget:
    """A stream, the buckets that its records go to, the workload's clock, and the size of a complete object.

    Attributes:
        watermark_of: The source whose watermark a record is read at, if that is not the stream itself.
        heartbeat: The event type that alone moves the watermark, if the workload declares one.
    """

    workload: str
    stream: str
    buckets: DataBuckets
    clock: Clock
    max_records: int = 10_000
    max_bytes: int = 8 * 1024 * 1024
    watermark_of: str = ""
    heartbeat: str | None = None


def stream_target(workload: Workload, buckets: DataBuckets) -> StreamTarget:
    """Returns the target of a workload's own stream."""
    stream = workload.stream
    return StreamTarget(workload.name, stream.name, buckets, workload.clock, heartbeat=stream.complete.event)
