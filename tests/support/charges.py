"""Charges of a workload for the tests of costs: ended jobs, recorded in a state table in memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from nightjar.jobs.usage import job_usage

from include.pipelines.cost.ledger import Claim, JobAccounts
from tests.support.stores_in_memory import ItemsInMemory

WORKLOAD = "shop"
ENDED = datetime(2026, 11, 10, 3, tzinfo=UTC)
ACCOUNTS = JobAccounts(WORKLOAD)


def claim(dag: str = "retrain", run: str = "scheduled__1", task: str = "submit_training", **more: str) -> Claim:
    """A run's claim."""
    given = {"subject": WORKLOAD, "at": "2026-11-10T02:00:00+00:00", **more}
    found: Any = {"dag_id": f"{WORKLOAD}_{dag}", "run_id": run, "task": task, **given}
    return found


def record_training(
    state: ItemsInMemory, job: str, hours: float, *claims: Claim, ended: datetime = ENDED, key: str | None = None
) -> float | None:
    """Records a training job on ml.m5.xlarge without a volume."""
    usage: Any = job_usage(
        "sagemaker", "training", job, "Completed", key or job, ended, size="ml.m5.xlarge", count=1, seconds=hours * 3600
    )
    return ACCOUNTS.record(usage, claims, state)


def record_nights(state: ItemsInMemory, nights: int, hours: float, last: datetime = ENDED) -> None:
    """Records nights whose process run and whose retrain run each took an instance for some hours."""
    for number in range(nights):
        ended = last - timedelta(days=number)
        for dag in ("process", "retrain"):
            job = f"{dag}-{ended:%d}"
            record_training(state, job, hours, claim(dag, f"scheduled__{ended:%d}"), ended=ended)
