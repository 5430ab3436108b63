"""One trial of a tuning job: a training job with the hyperparameters that were drawn for it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from moto.sagemaker.exceptions import ValidationError

from infra.localcloud.errors import SERVER_ENDED
from infra.localcloud.sagemaker.search_space import Parameters
from infra.localcloud.sagemaker.training import TrainingJob, metric_values


class Trial:
    """A training job of a tuning job.

    Attributes:
        parameters: Only the hyperparameters that are tuned.
        measured: Whether it has ended and its objective was looked for.
        series: The objective after each step that was logged.
    """

    def __init__(self, name: str, parameters: Parameters, job: TrainingJob) -> None:
        self.name = name
        self.parameters = parameters
        self.job = job
        self.measured = False
        self.series: list[float] = []

    @property
    def status(self) -> str:
        """The training job's status."""
        return self.job.status

    @property
    def value(self) -> float | None:
        """The objective at the end; None if it is not known, or not yet."""
        return self.series[-1] if self.series else None

    @property
    def objective_status(self) -> str:
        """``Pending``, ``Succeeded`` or ``Failed``: whether the objective is known."""
        if not self.measured:
            return "Pending"
        return "Failed" if self.value is None else "Succeeded"

    @property
    def counter(self) -> str:
        """The counter of TrainingJobStatusCounters that counts it."""
        if self.status == "Failed":
            return "RetryableError" if self.job.failure_reason == SERVER_ENDED else "NonRetryableError"
        return "InProgress" if self.status == "Stopping" else self.status

    def values(self, regex: str) -> list[float]:
        """The objective after each step that was logged so far."""
        return metric_values(self.job.log_lines(), regex)

    def measure(self, regex: str) -> None:
        """Reads the objective of a trial that has ended."""
        self.series = [] if self.status == "Failed" else self.values(regex)
        self.measured = True

    def stop(self) -> None:
        """Stops the training job, unless it has just ended."""
        with suppress(ValidationError):
            self.job.stop()

    def summary(self, objective: dict[str, str]) -> dict[str, Any]:
        """The trial's entry in ListTrainingJobsForHyperParameterTuningJob."""
        job = self.job.describe()
        value = self.value
        summary = {
            "TrainingJobName": self.name,
            "TrainingJobArn": job["TrainingJobArn"],
            "CreationTime": job["CreationTime"],
            "TrainingStartTime": job.get("TrainingStartTime"),
            "TrainingEndTime": job.get("TrainingEndTime"),
            "TrainingJobStatus": job["TrainingJobStatus"],
            "TunedHyperParameters": self.parameters,
            "FailureReason": job.get("FailureReason"),
            "FinalHyperParameterTuningJobObjectiveMetric": (
                None if value is None else {"MetricName": objective["MetricName"], "Value": value}
            ),
            "ObjectiveStatus": self.objective_status,
        }
        return {name: entry for name, entry in summary.items() if entry is not None}
