"""Whether raw is complete up to an instant, and what to do while it is not. The laptop imports it: no library."""

from __future__ import annotations

from include.lake.instants import parse_instant
from include.pipelines.ingest.types import WatermarksReached
from include.pipelines.protocols import StateItems
from include.workloads import Workload


def watermark_status(items: StateItems, at_least: str) -> WatermarksReached | None:
    """Returns the watermarks once every source's watermark is ``at_least`` (ISO 8601) or later, else None."""
    marks = {source: (item or {}).get("watermark") for (_, source), item in items.items()}
    if all(mark and parse_instant(mark) >= parse_instant(at_least) for mark in marks.values()):
        return {"status": "reached", "watermarks": {source: str(mark) for source, mark in marks.items()}}
    return None


def completing_advice(workload: Workload) -> str:
    """Says what a wait for the workload's watermarks waits for, and what to do when that does not come."""
    stream, spec = workload.stream.name, workload.stream.complete
    ingest = f"{workload.name}_ingest_stream"
    if workload.clock == "arrived_at":
        return (
            f"It waits for a run of {ingest}, and of ingest_tables if there are tables, that ends after that instant. "
            "Run them, then clear this task."
        )
    rule = {
        "watermark": f"a record of the stream {stream}",
        "heartbeat": f"a heartbeat (event type {spec.event}) on the stream {stream}",
        "quiet": f"{spec.period} without a record, or a record of the stream {stream}",
    }[spec.by]
    tables = f", and for a snapshot of {', '.join(workload.tables)} after it" if workload.tables else ""
    hint = "" if spec.by != "watermark" else " If it is often silent, declare stream.complete in workload.yaml."
    return (
        f"It waits for {rule} that was recorded after that instant{tables}. Look whether the producer sends and the "
        f"ingest DAGs run. If the producer has sent everything and is silent, run {ingest} with complete_to.{hint} "
        "Then clear this task."
    )
