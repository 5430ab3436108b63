"""What the remote jobs of one retrain run cost, estimated from running times and scanned bytes.

Counted: the training job, the trials of a tuning job, the evaluation job and the two Athena queries of the data set.
Not counted: the Glue jobs that processed the days of the data set (they belong to the process runs), S3, logs, ECS and
Airflow itself. Prices are AWS on-demand prices of us-east-1 in USD, November 2026, without free tier.
"""

from __future__ import annotations

from collections.abc import Iterable

from include.pipelines.retrain.finished import FinishedJobs

# https://aws.amazon.com/sagemaker/pricing/ (training and processing cost the same), USD an hour
INSTANCE_HOUR = {
    "ml.t3.medium": 0.05,
    "ml.t3.large": 0.10,
    "ml.t3.xlarge": 0.20,
    "ml.m5.large": 0.115,
    "ml.m5.xlarge": 0.23,
    "ml.m5.2xlarge": 0.461,
    "ml.m5.4xlarge": 0.922,
    "ml.c5.xlarge": 0.204,
    "ml.c5.2xlarge": 0.408,
}
# https://aws.amazon.com/athena/pricing/: USD a terabyte scanned, at least 10 MB a query
ATHENA_TERABYTE = 5.0
ATHENA_MINIMUM_BYTES = 10_000_000
UNKNOWN = "unknown"


def training_and_query_cost(jobs: Iterable[tuple[str, float]], scanned_bytes: Iterable[int]) -> str:
    """Estimates the cost of SageMaker jobs and Athena queries.

    Args:
        jobs: Instance type and seconds of each SageMaker job.
        scanned_bytes: Bytes scanned by each Athena query.

    Returns:
        Dollars with four decimals, or ``unknown`` where an instance type has no price in the table.
    """
    total = sum(max(scanned, ATHENA_MINIMUM_BYTES) / 1e12 * ATHENA_TERABYTE for scanned in scanned_bytes)
    for instance_type, seconds in jobs:
        if instance_type not in INSTANCE_HOUR:
            return UNKNOWN
        total += INSTANCE_HOUR[instance_type] * seconds / 3600
    return f"{total:.4f}"


def jobs_cost(jobs: FinishedJobs) -> str:
    """Estimates the cost of a run's jobs, as :func:`training_and_query_cost`."""
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
