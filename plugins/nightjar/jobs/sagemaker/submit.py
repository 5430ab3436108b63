"""Start a SageMaker job once (see :mod:`nightjar.jobs.submit`). The key is the job's name, which is unique."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields
from botocore.exceptions import ClientError

from nightjar.jobs.sagemaker.jobs import ProcessingJob, SageMakerJob, TrainingJob
from nightjar.jobs.submit import Attempt, SubmitOperator, fill

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient


def is_absent(error: ClientError) -> bool:
    """Whether a Describe call failed because there is no such job, which SageMaker reports with two different codes."""
    code, message = error.response["Error"]["Code"], error.response["Error"]["Message"].lower()
    return code == "ResourceNotFound" or (
        code == "ValidationException" and ("not found" in message or "could not find" in message)
    )


class SubmitSageMakerJobOperator(SubmitOperator):
    """Base of the two submit operators; returns the job's name, which is the attempt's key.

    Args:
        config: The Create call's arguments without the name (templated). It may hold ``${submit_key}`` and the names of
            ``references``.
        references: Texts that are known at run time only, by the name that ``config`` holds as ``${name}`` (templated).
        **kwargs: See :class:`SubmitOperator`. ``submit_key`` has at most 51 characters, because ``-f<6 hex>`` (fresh)
            and ``-a<attempt>`` must fit into SageMaker's 63.
    """

    client_type = SageMakerJob.client_type
    template_fields = aws_template_fields("submit_key", "fresh", "config", "references")
    job_class: ClassVar[type[SageMakerJob]]

    def __init__(self, *, config: dict[str, Any], references: dict[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.config = config
        self.references = references or {}

    @abstractmethod
    def start(self, client: SageMakerClient, request: dict[str, Any]) -> None:
        """Calls Create for this kind of job."""

    def submitted_job(self) -> SageMakerJob:
        """Returns the job."""
        return self.job_class(self.output)  # type: ignore[arg-type]  # rendered before it is used

    def find(self, key: str) -> Attempt | None:
        """Returns the job of this name; None where there is none."""
        job = self.job_class(key)
        client: SageMakerClient = self.hook.conn
        try:
            description = job.describe(client)
        except ClientError as error:
            if is_absent(error):
                return None
            raise
        return Attempt(job, job.state(description) or "")

    def find_or_start(self, key: str) -> Attempt:
        """Returns the job of this name, else creates it."""
        found = self.find(key)
        if found:
            return found
        job = self.job_class(key)
        request = {**job.describe_arguments(), **fill(self.config, {**self.references, "submit_key": key})}
        try:
            self.start(self.hook.conn, request)
        except ClientError as error:
            # Another submit may have created the job between the two calls.
            found = self.find(key) if error.response["Error"]["Code"] == "ResourceInUse" else None
            if found:
                return found
            raise
        return Attempt(job, "InProgress", started=True)


class SubmitTrainingJobOperator(SubmitSageMakerJobOperator):
    """Creates a training job once."""

    job_class = TrainingJob

    def start(self, client: SageMakerClient, request: dict[str, Any]) -> None:
        """Calls CreateTrainingJob."""
        client.create_training_job(**request)


class SubmitProcessingJobOperator(SubmitSageMakerJobOperator):
    """Creates a processing job once."""

    job_class = ProcessingJob

    def start(self, client: SageMakerClient, request: dict[str, Any]) -> None:
        """Calls CreateProcessingJob."""
        client.create_processing_job(**request)
