"""What the jobs of a process run took, as the gate finds them ended."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from include.pipelines.measurements import Measurement, record, seconds_of
from include.pipelines.process.cost import FinishedJob, glue_cost
from include.pipelines.process.types import ProcessPlan
from include.pipelines.protocols import StateStore


class FinishedJobs(TypedDict):
    """What the sensors of the run returned."""

    transform: FinishedJob
    audit: FinishedJob


def measure_run(
    workload: str, plan: ProcessPlan, run: str, jobs: FinishedJobs, present: datetime, state: StateStore
) -> Measurement:
    """Records what a run's days took, for later estimates.

    Args:
        workload: The workload's name.
        plan: The plan that the jobs carried out.
        run: The transform run (its submit key).
        jobs: The jobs' results.
        present: The present.
        state: The state table.
    """
    done = (jobs["transform"], jobs["audit"])
    working = sum(job["execution_seconds"] for job in done)
    found: Measurement = {
        "run": run,
        "days": len(plan["days"]),
        "rows": plan["rows"],
        "bytes": plan["bytes"],
        "seconds": seconds_of(working, plan["planned_at"], present),
        "usd": glue_cost(done),
    }
    record(workload, "process", plan["planned_at"], found, state)
    return found
