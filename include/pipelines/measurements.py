"""What past runs took: written to the state table by each run, and read by a backfill's estimate."""

from __future__ import annotations

from typing import Any, Literal, TypedDict, cast

from include.lake import layout
from include.pipelines.protocols import StateStore

Stage = Literal["process", "retrain"]
NEWEST = 30
"""Runs that an estimate looks at: older ones ran on other code, other data and other machines."""


class Measurement(TypedDict):
    """One run."""

    run: str
    """What it made: the transform run, or the version's evaluation job."""
    days: int
    rows: int
    """Records that its jobs read; for a retrain, rows of the data set."""
    bytes: int
    """Compressed size of what they read; 0 where it is not known."""
    seconds: float
    """From the run's plan to its decision: the jobs, and what is between them."""
    usd: float | None
    """Cost of its jobs; None where it is not known."""


def record(workload: str, stage: Stage, instant: str, found: Measurement, state: StateStore) -> None:
    """Keeps what a run took. Repeating the call for the same run replaces the item.

    Args:
        workload: The workload's name.
        stage: What the run did.
        instant: When it was planned (ISO 8601 UTC).
        found: What it took.
        state: The state table.
    """
    state.put(*layout.measurement_key(workload, stage, instant, found["run"]), found)


def newest(workload: str, stage: Stage, state: StateStore) -> list[Measurement]:
    """Returns the newest runs, newest first."""
    items: dict[str, dict[str, Any]] = state.query(layout.measurement_partition_key(workload, stage), last=NEWEST)
    return [cast("Measurement", item) for item in items.values()]
