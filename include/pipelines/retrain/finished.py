"""What the sensors of a retrain run return, as far as registering needs it."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class FinishedQuery(TypedDict):
    """What is needed of an Athena query's result."""

    scanned_bytes: int
    query_execution_id: NotRequired[str]


class FinishedTraining(TypedDict):
    """What is needed of the training job's result."""

    instance_type: str
    billable_seconds: float
    job_name: NotRequired[str]


class FinishedEvaluation(TypedDict):
    """What is needed of the evaluation job's result."""

    job_name: str
    outputs: dict[str, str]
    exit_message: str
    instance_type: str
    execution_seconds: float


class FinishedJobs(TypedDict):
    """What the sensors of the run returned."""

    dataset: FinishedQuery
    digest: FinishedQuery
    training: FinishedTraining
    evaluation: FinishedEvaluation
