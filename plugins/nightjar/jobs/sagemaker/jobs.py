"""SageMaker's training and processing jobs. Stopped is a failure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict

from nightjar.jobs.job import CONSOLE, Description, LogStream, StoppableJob
from nightjar.jobs.usage import JobUsage, job_usage

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient


class TrainingResult(TypedDict):
    """What the sensor of a training job returns."""

    job_name: str
    model_uri: str
    billable_seconds: float
    execution_seconds: float
    instance_type: str
    metrics: dict[str, float]


class ProcessingResult(TypedDict):
    """What the sensor of a processing job returns. Outputs are S3 URIs by their names."""

    job_name: str
    outputs: dict[str, str]
    exit_message: str
    execution_seconds: float
    instance_type: str


@dataclass(frozen=True)
class SageMakerJob(StoppableJob["SageMakerClient"]):
    """What both kinds of job have in common.

    Attributes:
        job_name: As the submit operator returned it.
        name_field: The field of SageMaker's API that holds the name.
        log_group: The log group of this kind of job.
        console_page: The console's list of this kind of job.
    """

    job_name: str

    client_type = "sagemaker"
    active = frozenset({"InProgress"})
    stopping = frozenset({"Stopping"})
    succeeded = frozenset({"Completed"})
    name_field: ClassVar[str]
    log_group: ClassVar[str]
    console_page: ClassVar[str]

    @property
    def identifier(self) -> str:
        """The job's name."""
        return self.job_name

    def describe_arguments(self) -> dict[str, Any]:
        """Returns the name."""
        return {self.name_field: self.job_name}

    def submit_key(self, description: Description) -> str | None:
        """Returns the name."""
        return self.job_name

    def reason(self, client: SageMakerClient, description: Description) -> str:
        """Returns the failure reason, or the container's exit message."""
        return description.get("FailureReason") or description.get("ExitMessage") or "SageMaker gives no reason"

    def log_streams(self, client: SageMakerClient, description: Description) -> list[LogStream]:
        """Returns the streams of the job's instances."""
        return [(self.log_group, f"{self.job_name}/")]

    def console_link(self, region: str) -> str:
        """Returns the job's page."""
        return f"{CONSOLE}sagemaker/home?region={region}#/{self.console_page}/{self.job_name}"

    def _usage(
        self, kind: str, description: Description, seconds: float, ended: datetime, cluster: dict[str, Any]
    ) -> JobUsage:
        state, key = self.state(description), self.submit_key(description)
        return job_usage(
            "sagemaker",
            kind,
            self.job_name,
            state,
            key,
            ended,
            size=cluster.get("InstanceType", ""),
            count=cluster.get("InstanceCount", 1),
            seconds=seconds,
            volume_gb=cluster.get("VolumeSizeInGB", 0),
        )


@dataclass(frozen=True)
class TrainingJob(SageMakerJob):
    """A training job."""

    describe_method = "describe_training_job"
    state_path = "TrainingJobStatus"
    name_field = "TrainingJobName"
    log_group = "/aws/sagemaker/TrainingJobs"
    console_page = "jobs"

    def result(self, description: Description) -> TrainingResult:
        """Returns where the model is, the running time and the final metrics."""
        measured = _seconds(description, "TrainingStartTime", "TrainingEndTime")
        seconds: float = description.get("TrainingTimeInSeconds") or measured
        return {
            "job_name": self.job_name,
            "model_uri": description["ModelArtifacts"]["S3ModelArtifacts"],
            "billable_seconds": description.get("BillableTimeInSeconds", seconds),
            "execution_seconds": seconds,
            "instance_type": description["ResourceConfig"]["InstanceType"],
            "metrics": {metric["MetricName"]: metric["Value"] for metric in description.get("FinalMetricDataList", [])},
        }

    def submit_key(self, description: Description) -> str | None:
        """Returns the name; of a job that a tuning job has started, the name of that."""
        tuning: str = description.get("TuningJobArn", "")
        return tuning.rpartition("/")[2] or self.job_name

    def is_part_of_another(self, description: Description) -> bool:
        """Whether a tuning job has started it."""
        return "TuningJobArn" in description

    def usages(self, client: SageMakerClient, description: Description) -> list[JobUsage]:
        """Returns its instances and their billable time."""
        measured = _seconds(description, "TrainingStartTime", "TrainingEndTime")
        charged: Any = description.get("BillableTimeInSeconds", description.get("TrainingTimeInSeconds", measured))
        ended = description.get("TrainingEndTime") or description["LastModifiedTime"]
        return [self._usage("training", description, float(charged), ended, description["ResourceConfig"])]

    def stop(self, client: SageMakerClient) -> None:
        """Stops the job."""
        client.stop_training_job(TrainingJobName=self.job_name)


@dataclass(frozen=True)
class ProcessingJob(SageMakerJob):
    """A processing job."""

    describe_method = "describe_processing_job"
    state_path = "ProcessingJobStatus"
    name_field = "ProcessingJobName"
    log_group = "/aws/sagemaker/ProcessingJobs"
    console_page = "processing-jobs"

    def result(self, description: Description) -> ProcessingResult:
        """Returns where the outputs are, the container's exit message, and the running time."""
        outputs = description.get("ProcessingOutputConfig", {}).get("Outputs", [])
        return {
            "job_name": self.job_name,
            "outputs": {output["OutputName"]: output["S3Output"]["S3Uri"] for output in outputs},
            "exit_message": description.get("ExitMessage", ""),
            "execution_seconds": _seconds(description, "ProcessingStartTime", "ProcessingEndTime"),
            "instance_type": description["ProcessingResources"]["ClusterConfig"]["InstanceType"],
        }

    def usages(self, client: SageMakerClient, description: Description) -> list[JobUsage]:
        """Returns its instances and their time."""
        seconds = _seconds(description, "ProcessingStartTime", "ProcessingEndTime")
        ended = description.get("ProcessingEndTime") or description["LastModifiedTime"]
        cluster = description["ProcessingResources"]["ClusterConfig"]
        return [self._usage("processing", description, seconds, ended, cluster)]

    def stop(self, client: SageMakerClient) -> None:
        """Stops the job."""
        client.stop_processing_job(ProcessingJobName=self.job_name)


def _seconds(description: Description, start: str, end: str) -> float:
    if start not in description or end not in description:
        return 0.0
    seconds: float = (description[end] - description[start]).total_seconds()
    return seconds
