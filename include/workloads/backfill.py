"""How a workload is backfilled where nobody says otherwise (the block ``backfill`` of its ``workload.yaml``)."""

from __future__ import annotations

from pydantic import Field

from include.lake.days import MAX_RUN_DAYS
from include.workloads.strict import StrictModel

MAX_CONCURRENCY = 2
"""Chunks of one backfill that may run at once: as many as the pool ``nightjar_backfill`` lets run of all backfills."""


class BackfillSpec(StrictModel):
    """The defaults of the backfill's form."""

    chunk_days: int = Field(31, ge=1, le=MAX_RUN_DAYS, description="days of one process run")
    concurrency: int = Field(1, ge=1, le=MAX_CONCURRENCY, description="process runs at once")
    approve_above_usd: float | None = Field(
        None, ge=0, description="a person approves what may cost more; default: the setting approve_backfill_above_usd"
    )
