"""Sense SageMaker training and processing jobs. Stopped is a failure; FailureReason is shown."""

from __future__ import annotations

from typing import Any, ClassVar

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from nightjar.jobs.console import console_link
from nightjar.jobs.sensor import JobSensor


class SageMakerJobSensor(JobSensor):
    """Base of the two sensors.

    :param job_name: as the submit operator returned it.
    """

    client_type = "sagemaker"
    running = ("InProgress", "Stopping")
    succeeded = ("Completed",)
    template_fields = aws_template_fields("job_name")
    kind: ClassVar[str]
    log_group: ClassVar[str]

    def __init__(self, *, job_name: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.job_name = job_name

    def reason(self, answer: dict[str, Any]) -> str:
        return answer.get("FailureReason") or answer.get("ExitMessage") or "SageMaker gives no reason"

    def log_streams(self, answer: dict[str, Any]) -> list[tuple[str, str]]:
        return [(self.log_group, f"{self.job_name}/")]

    def console_link(self) -> str:
        return console_link(self.kind, self.region_name, self.job_name)


class TrainingJobSensor(SageMakerJobSensor):
    """Returns ``{"job_name", "model_uri", "billable_seconds", "execution_seconds", "instance_type", "metrics"}``."""

    kind = "training"
    log_group = "/aws/sagemaker/TrainingJobs"
    method = "describe_training_job"
    state_path = "TrainingJobStatus"

    def arguments(self) -> dict[str, Any]:
        return {"TrainingJobName": self.job_name}

    def result(self, answer: dict[str, Any]) -> dict[str, Any]:
        seconds = answer.get("TrainingTimeInSeconds") or _seconds(answer, "TrainingStartTime", "TrainingEndTime")
        return {
            "job_name": self.job_name,
            "model_uri": answer["ModelArtifacts"]["S3ModelArtifacts"],
            "billable_seconds": answer.get("BillableTimeInSeconds", seconds),
            "execution_seconds": seconds,
            "instance_type": answer["ResourceConfig"]["InstanceType"],
            "metrics": {metric["MetricName"]: metric["Value"] for metric in answer.get("FinalMetricDataList", [])},
        }


class ProcessingJobSensor(SageMakerJobSensor):
    """Returns ``{"job_name", "outputs": {name: S3 URI}, "execution_seconds", "instance_type"}``."""

    kind = "processing"
    log_group = "/aws/sagemaker/ProcessingJobs"
    method = "describe_processing_job"
    state_path = "ProcessingJobStatus"

    def arguments(self) -> dict[str, Any]:
        return {"ProcessingJobName": self.job_name}

    def result(self, answer: dict[str, Any]) -> dict[str, Any]:
        outputs = answer.get("ProcessingOutputConfig", {}).get("Outputs", [])
        return {
            "job_name": self.job_name,
            "outputs": {output["OutputName"]: output["S3Output"]["S3Uri"] for output in outputs},
            "execution_seconds": _seconds(answer, "ProcessingStartTime", "ProcessingEndTime"),
            "instance_type": answer["ProcessingResources"]["ClusterConfig"]["InstanceType"],
        }


def _seconds(answer: dict[str, Any], start: str, end: str) -> float:
    return (answer[end] - answer[start]).total_seconds() if start in answer and end in answer else 0.0
