"""What the Glue jobs of a process run cost, estimated from their running times and the price table.

Not counted: S3, logs, Airflow itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict

from include.pipelines.cost.prices import prices
from include.pipelines.cost.usage import glue_charge


class FinishedJob(TypedDict):
    """What is needed of a Glue job's result."""

    execution_seconds: float
    worker_type: str | None
    workers: int


def glue_cost(jobs: Iterable[FinishedJob]) -> float | None:
    """Estimates the cost of Glue jobs in USD; None where a worker type has no price in the table."""
    total = 0.0
    for job in jobs:
        usd = glue_charge(job["execution_seconds"], job["worker_type"], job["workers"], prices()).usd
        if usd is None:
            return None
        total += usd
    return total
