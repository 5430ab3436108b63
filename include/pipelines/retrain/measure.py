"""What the jobs of a retrain run took, once its version is registered."""

from __future__ import annotations

from datetime import datetime

from include.pipelines.measurements import Measurement, record, seconds_of
from include.pipelines.protocols import StateStore
from include.pipelines.retrain.cost import UNKNOWN, jobs_cost
from include.pipelines.retrain.finished import FinishedJobs
from include.pipelines.retrain.plan import DatasetPlan
from include.pipelines.retrain.prepare import PreparedRun


def measure_run(
    workload: str, plan: DatasetPlan, prepared: PreparedRun, jobs: FinishedJobs, present: datetime, state: StateStore
) -> Measurement:
    """Records what a run took, for later estimates.

    Args:
        workload: The workload's name.
        plan: The run's plan.
        prepared: What the jobs were requested with.
        jobs: The jobs' results.
        present: The present.
        state: The state table.
    """
    training, evaluation = jobs["training"], jobs["evaluation"]
    cost = jobs_cost(jobs)
    found: Measurement = {
        "run": evaluation["job_name"],
        "days": 1,
        "rows": sum(prepared["splits"].values()),
        "bytes": jobs["dataset"]["scanned_bytes"],
        "seconds": seconds_of(
            training["billable_seconds"] + evaluation["execution_seconds"], plan["planned_at"], present
        ),
        "usd": None if cost == UNKNOWN else float(cost),
    }
    record(workload, "retrain", plan["planned_at"], found, state)
    return found
