"""What the Glue jobs of a process run cost, estimated from their running times.

Prices are AWS on-demand prices of us-east-1 in USD, November 2026. Not counted: S3, logs, Airflow itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict

# https://aws.amazon.com/glue/pricing/: USD a DPU-hour, billed by the second, at least a minute a run
DPU_HOUR = 0.44
MINIMUM_SECONDS = 60
WORKER_DPUS = {"G.025X": 0.25, "G.1X": 1, "G.2X": 2, "G.4X": 4, "G.8X": 8, "Standard": 1}


class FinishedJob(TypedDict):
    """What is needed of a Glue job's result."""

    execution_seconds: float
    worker_type: str | None
    workers: int


def glue_cost(jobs: Iterable[FinishedJob]) -> float | None:
    """Estimates the cost of Glue jobs in USD; None where a worker type has no price in the table."""
    total = 0.0
    for job in jobs:
        dpus = WORKER_DPUS.get(job["worker_type"] or "")
        if dpus is None:
            return None
        seconds = max(job["execution_seconds"], MINIMUM_SECONDS)
        total += seconds / 3600 * dpus * job["workers"] * DPU_HOUR
    return total
