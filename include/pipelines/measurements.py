"""What past runs took: written to the state table by each run, and read by a backfill's estimate."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, TypedDict, cast

from include.lake import state_keys
from include.lake.instants import parse_instant
from include.pipelines.protocols import StateStore

Stage = Literal["process", "retrain"]
_STOOD_STILL, _SPARE_SECONDS = 4, 900  # a run that took so many times as long as its jobs, and more
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


def seconds_of(working: float, planned_at: str, present: datetime) -> float:
    """Returns what a run took: from its plan to the present, unless that says nothing about the next run.

    A job that was adopted began before the plan, and a run that failed and was cleared later stood still in between:
    then its jobs count alone.

    Args:
        working: Seconds that its jobs ran.
        planned_at: When it was planned (ISO 8601 UTC).
        present: The present.
    """
    elapsed = (present - parse_instant(planned_at)).total_seconds()
    return elapsed if working <= elapsed <= _STOOD_STILL * working + _SPARE_SECONDS else working


def record(workload: str, stage: Stage, instant: str, found: Measurement, state: StateStore) -> None:
    """Keeps what a run took. Repeating the call for the same run replaces the item.

    Args:
        workload: The workload's name.
        stage: What the run did.
        instant: When it was planned (ISO 8601 UTC).
        found: What it took.
        state: The state table.
    """
    state.put(*state_keys.measurement_key(workload, stage, instant, found["run"]), found)


def newest(workload: str, stage: Stage, state: StateStore) -> list[Measurement]:
    """Returns the newest runs, newest first."""
    items: dict[str, dict[str, Any]] = state.query(state_keys.measurement_partition_key(workload, stage), last=NEWEST)
    return [cast("Measurement", item) for item in items.values()]
