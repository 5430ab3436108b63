"""What the tasks of a backfill hand to each other. All are plain JSON."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

from include.pipelines.backfill.estimate import Estimate
from include.pipelines.backfill.request import BackfillRequest
from include.pipelines.cost.budget import BudgetLeft


class TriggeredRun(TypedDict):
    """One run of another DAG."""

    run_id: str
    """Made from what the run is to do: a second backfill that asks for the same adopts it."""
    conf: dict[str, Any]


class Chunk(TriggeredRun):
    """A process run over some days."""

    days: list[str]
    """Those that are to be published; the range of the run may contain others, which it skips."""
    rows: int
    bytes: int


class RetrainStep(TriggeredRun):
    """A retrain run for one day."""

    day: str


class BackfillDays(TypedDict):
    """The days of the range, each in one list."""

    to_process: list[str]
    published: list[str]
    """From the same inputs and code: they stay as they are."""
    refused: list[str]
    """From the same inputs and code: they would be refused again."""
    no_raw: list[str]
    incomplete: list[str]
    """In raw, but not completely: a run of them would wait."""


class BackfillPlan(TypedDict):
    """A plan: what a backfill is going to do, and what it will take."""

    workload: str
    backfill: str
    """Name of the folder of the backfill's documents."""
    request: BackfillRequest
    planned_at: str
    code_sha: str
    days: BackfillDays
    fingerprints: dict[str, str]
    """Of the days to process: what a day's item has once this backfill has published it."""
    chunks: list[Chunk]
    retrains: list[RetrainStep]
    retrains_done: list[str]
    """Days whose retrain run an earlier backfill has made from the same days and code."""
    retrains_left_out: list[str]
    """Days for which the range and the published days have not all of the data set's window."""
    jobs: int
    """Remote jobs: two for each chunk, four for each retrain."""
    rows: int
    bytes: int
    estimate: Estimate
    budget: NotRequired[BudgetLeft]
    """What the workload's budget leaves this month."""


class PlannedBackfill(TypedDict):
    """What the task ``plan`` returns: what the next tasks need; the plan itself is in the artifact bucket."""

    uri: str
    """Of the plan."""
    page: str
    """Of its page."""
    sentence: str
    chunks: list[TriggeredRun]
    retrains: list[TriggeredRun]
    concurrency: int
    approval: str
    """Why a person has to approve; empty: nobody has to."""
