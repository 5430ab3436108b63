"""SageMaker's hyperparameter tuning jobs. A tuning job that ended with one trained model at least has succeeded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

from airflow.sdk.exceptions import AirflowSkipException

from nightjar.jobs.job import Description, LogStream
from nightjar.jobs.sagemaker.jobs import SageMakerJob, TrainingJob
from nightjar.jobs.sagemaker.submit import SubmitSageMakerJobOperator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.sdk import Context
    from mypy_boto3_sagemaker import SageMakerClient


class TuningResult(TypedDict):
    """What the sensor of a tuning job returns: its best trial.

    Attributes:
        model_uri: Where the trial's model is.
        objective: The trial's final objective.
        hyperparameters: The tuned ones.
        trials: All trials, in the order in which they were created.
    """

    job_name: str
    training_job_name: str
    model_uri: str
    objective: float
    hyperparameters: dict[str, str]
    instance_type: str
    trials: list[Trial]


class Trial(TypedDict):
    """A trial of a tuning job. ``objective`` is None if it has none; ``seconds`` are those of training."""

    job_name: str
    status: str
    hyperparameters: dict[str, str]
    objective: float | None
    seconds: float


_TRIALS = "TrainingJobSummaries"  # of the List call's answer


@dataclass(frozen=True)
class TuningJob(SageMakerJob):
    """A tuning job."""

    describe_method = "describe_hyper_parameter_tuning_job"
    state_path = "HyperParameterTuningJobStatus"
    name_field = "HyperParameterTuningJobName"
    log_group = TrainingJob.log_group
    console_page = "hyper-tuning-jobs"

    def describe(self, client: SageMakerClient) -> Description:
        """Asks AWS to describe the job, and one that has succeeded with its trials."""
        description = super().describe(client)
        if self.state(description) in self.succeeded:
            pages = client.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
                HyperParameterTuningJobName=self.job_name, SortBy="CreationTime", SortOrder="Ascending"
            )
            description[_TRIALS] = [summary for page in pages for summary in page["TrainingJobSummaries"]]
        return description

    def reason(self, client: SageMakerClient, description: Description) -> str:
        """Returns the failure reason, and how many trials ended how."""
        counted = ", ".join(f"{name} {number}" for name, number in _counters(description).items() if number)
        return f"{super().reason(client, description)} (trials: {counted or 'none'})"

    def log_streams(self, client: SageMakerClient, description: Description) -> list[LogStream]:
        """Returns the streams of the best trial; of every trial where there is no best one."""
        best = description.get("BestTrainingJob", {}).get("TrainingJobName")
        return [(self.log_group, f"{best}/" if best else f"{self.job_name}-")]

    def result(self, description: Description) -> TuningResult:
        """Returns the best trial."""
        best, definition = description["BestTrainingJob"], description["TrainingJobDefinition"]
        folder = definition["OutputDataConfig"]["S3OutputPath"].rstrip("/")
        return {
            "job_name": self.job_name,
            "training_job_name": best["TrainingJobName"],
            "model_uri": f"{folder}/{best['TrainingJobName']}/output/model.tar.gz",
            "objective": best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"],
            "hyperparameters": best["TunedHyperParameters"],
            "instance_type": definition["ResourceConfig"]["InstanceType"],
            "trials": [_trial(summary) for summary in description[_TRIALS]],
        }

    def stop(self, client: SageMakerClient) -> None:
        """Stops the job and its trials."""
        client.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=self.job_name)


class SubmitTuningJobOperator(SubmitSageMakerJobOperator):
    """Creates a tuning job once; skipped where ``config`` is None or empty.

    ``submit_key`` has at most 20 characters: with its suffixes it must fit into the 32 of a tuning job's name.
    """

    job_class = TuningJob

    def execute(self, context: Context) -> str:
        """Adopts or creates the job, if there is one to be."""
        if not self.config:
            raise AirflowSkipException("There is nothing to tune.")
        return super().execute(context)

    def start(self, client: SageMakerClient, request: dict[str, Any]) -> None:
        """Calls CreateHyperParameterTuningJob."""
        client.create_hyper_parameter_tuning_job(**request)


def _trial(summary: Mapping[str, Any]) -> Trial:
    start, end = summary.get("TrainingStartTime"), summary.get("TrainingEndTime")
    objective = summary.get("FinalHyperParameterTuningJobObjectiveMetric")
    return {
        "job_name": summary["TrainingJobName"],
        "status": summary["TrainingJobStatus"],
        "hyperparameters": dict(summary["TunedHyperParameters"]),
        "objective": objective["Value"] if objective else None,
        "seconds": (end - start).total_seconds() if start and end else 0.0,
    }


def _counters(description: Description) -> dict[str, int]:
    counters: dict[str, int] = description.get("TrainingJobStatusCounters", {})
    return counters
