"""What the remote jobs of one retrain run cost: two Athena queries, training, trials, evaluation, failed attempts.

Not counted: the Glue jobs that processed the days of the data set (they belong to the process runs; what the version's
own day has cost is in its metadata, too), S3, logs, ECS and Airflow itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import TypedDict

from include.lake import state_keys
from include.lake.days import parse_day
from include.lake.instants import parse_instant
from include.pipelines.cost.ledger import attempts_of, total
from include.pipelines.cost.prices import prices
from include.pipelines.cost.usage import instance_charge, query_charge
from include.pipelines.protocols import StateStore
from include.pipelines.retrain.finished import FinishedJobs
from include.pipelines.retrain.plan import DatasetPlan

UNKNOWN = "unknown"
_JOBS = 4  # of every run: two queries, training, evaluation
_JOBS_BEFORE, _JOBS_AFTER = timedelta(days=31), timedelta(days=3)  # the plan; an adopted job ended before it


class VersionCosts(TypedDict):
    """What a version has cost, as its metadata has it: dollars with four decimals, or ``unknown``."""

    cost_usd: str
    processing_usd: str


def training_and_query_cost(jobs: Iterable[tuple[str, float]], scanned_bytes: Iterable[int]) -> str:
    """Estimates the cost of SageMaker jobs and Athena queries.

    Args:
        jobs: Instance type and seconds of each SageMaker job.
        scanned_bytes: Bytes scanned by each Athena query.

    Returns:
        Dollars with four decimals, or ``unknown`` where an instance type has no price in the table.
    """
    charges = [query_charge(scanned, prices()) for scanned in scanned_bytes]
    charges += [instance_charge(instance_type, seconds, prices()) for instance_type, seconds in jobs]
    return _text([charge.usd for charge in charges])


def jobs_cost(jobs: FinishedJobs) -> str:
    """Estimates the cost of the jobs that succeeded, as :func:`training_and_query_cost`."""
    training, evaluation, tuning = jobs["training"], jobs["evaluation"], jobs.get("tuning")
    trials = tuning["trials"] if tuning else []
    return training_and_query_cost(
        [
            (training["instance_type"], training["billable_seconds"]),
            (evaluation["instance_type"], evaluation["execution_seconds"]),
            *((tuning["instance_type"], trial["seconds"]) for trial in trials if tuning),
        ],
        [jobs["dataset"]["scanned_bytes"], jobs["digest"]["scanned_bytes"]],
    )


def version_costs(workload: str, jobs: FinishedJobs, plan: DatasetPlan, state: StateStore) -> VersionCosts:
    """Returns what a run's version has cost, and what processing its day has."""
    return {
        "cost_usd": version_cost(workload, jobs, plan["planned_at"], state),
        "processing_usd": processing_cost(workload, parse_day(plan["day"]), state),
    }


def version_cost(workload: str, jobs: FinishedJobs, planned_at: str, state: StateStore) -> str:
    """Returns what a version's jobs have cost, with every failed attempt at them.

    It is read from the ledger; trials are priced, because the ledger has them later. Where a job is not in it (adopted
    after two months), the jobs that succeeded are priced.

    Args:
        workload: The workload's name.
        jobs: The jobs' results.
        planned_at: When the run was planned (ISO 8601 UTC).
        state: The state table.
    """
    names = {job_id for job in ("dataset", "digest") if (job_id := jobs[job].get("query_execution_id"))}
    names |= {name for job in ("training", "evaluation") if (name := jobs[job].get("job_name"))}
    tuning = jobs.get("tuning")
    planned = parse_instant(planned_at).date()
    found = attempts_of(workload, names, planned - _JOBS_BEFORE, planned + _JOBS_AFTER, state)
    if len(names) < _JOBS or names - {item.get("job", "") for item in found}:
        return jobs_cost(jobs)
    trials = [(tuning["instance_type"], trial["seconds"]) for trial in tuning["trials"]] if tuning else []
    charges = [instance_charge(kind, seconds, prices()).usd for kind, seconds in trials]
    return UNKNOWN if any(item["usd"] is None for item in found) else _text([total(found), *charges])


def processing_cost(workload: str, day: date, state: StateStore) -> str:
    """Returns what the Glue jobs of a published day have cost: its part of the run that published it."""
    item = state.get(*state_keys.day_key(workload, day)) or {}
    if not item.get("run") or not item.get("planned_at"):
        return UNKNOWN
    run = state.get(*state_keys.measurement_key(workload, "process", item["planned_at"], item["run"]))
    if run is None or run["usd"] is None:
        return UNKNOWN
    return f"{run['usd'] / max(run['days'], 1):.4f}"


def _text(usd: Iterable[float | None]) -> str:
    known = list(usd)
    return UNKNOWN if None in known else f"{sum(filter(None, known)):.4f}"
