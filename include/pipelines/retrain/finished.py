"""What the sensors of a retrain run return, as far as registering needs it."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class FinishedQuery(TypedDict):
    """What is needed of an Athena query's result."""

    scanned_bytes: int
    query_execution_id: NotRequired[str]


class FinishedTraining(TypedDict):
    """What is needed of the training job's result."""

    model_uri: str
    instance_type: str
    billable_seconds: float
    job_name: NotRequired[str]
    metrics: dict[str, float]


class Trial(TypedDict):
    """A trial of a tuning job."""

    job_name: str
    status: str
    hyperparameters: dict[str, str]
    objective: float | None
    seconds: float


class FinishedTuning(TypedDict):
    """What is needed of the tuning job's result: its best trial, and all trials."""

    job_name: str
    model_uri: str
    objective: float
    hyperparameters: dict[str, str]
    instance_type: str
    trials: list[Trial]


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
    tuning: NotRequired[FinishedTuning | None]
    """None where nothing was tuned."""
