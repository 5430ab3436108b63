"""What an ingest or requeue run says in its note."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from include.pipelines.ingest.requeue import Requeued
from include.pipelines.ingest.types import ShardSummary


def read(groups: Iterable[Iterable[ShardSummary]], watermark: str | None) -> str:
    """What was read from a stream, and up to when it is complete.

    Args:
        groups: What each mapped task returned.
        watermark: The watermark of the run (ISO 8601 UTC); None if no record has been read yet.
    """
    summaries = [summary for group in groups for summary in group]
    records, quarantined = (sum(int(summary[name]) for summary in summaries) for name in ("records", "quarantined"))
    complete = f"complete in raw up to {watermark}" if watermark else "not known to be complete up to any time"
    return f"{records} records are new in raw, {quarantined} in quarantine. The stream is {complete}."


def rows(written: Mapping[str, int]) -> str:
    """The new rows of each table."""
    return f"New rows in raw: {', '.join(f'{table} {count}' for table, count in sorted(written.items()))}."


def requeued(done: Sequence[Requeued]) -> str:
    """What became of the quarantine objects that were read again."""
    records, refused = sum(item["records"] for item in done), sum(item["quarantined"] for item in done)
    return f"Read {len(done)} quarantine objects again: {records} records are in raw now, {refused} were refused again."
