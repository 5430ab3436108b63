"""Start a SageMaker job once (see :mod:`nightjar.jobs.submit`). The key is the job's name, which SageMaker keeps unique."""

from __future__ import annotations

from typing import Any, ClassVar

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields
from botocore.exceptions import ClientError

from nightjar.jobs.console import console_link
from nightjar.jobs.submit import Job, SubmitOperator, fill


def is_absent(error: ClientError) -> bool:
    """Whether a Describe call says that there is no such job: SageMaker says so with two different codes."""
    code, message = error.response["Error"]["Code"], error.response["Error"]["Message"].lower()
    return code == "ResourceNotFound" or (
        code == "ValidationException" and ("not found" in message or "could not find" in message)
    )


class SubmitSageMakerJobOperator(SubmitOperator):
    """Base: returns the job's name, which is the attempt's key.

    :param submit_key: name of the job, at most 51 characters (templated): ``-f<6 hex>`` (fresh) and ``-a<attempt>`` must fit
        in SageMaker's 63.
    :param config: the Create call's arguments but for the name (templated); may hold ``${submit_key}`` and any of
        ``references``.
    :param references: texts that are known only at run time, by the name that ``config`` holds them by, ``${name}``
        (templated).
    """

    client_type = "sagemaker"
    adoptable = frozenset({"InProgress", "Completed"})
    template_fields = aws_template_fields("submit_key", "fresh", "config", "references")
    kind: ClassVar[str]

    def __init__(self, *, config: dict[str, Any], references: dict[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.config = config
        self.references = references or {}

    def find(self, key: str) -> Job | None:
        """The job of this name, or None."""
        try:
            answer = getattr(self.hook.conn, f"describe_{self.kind}_job")(**{f"{self.kind.title()}JobName": key})
        except ClientError as error:
            if is_absent(error):
                return None
            raise
        return Job(key, answer[f"{self.kind.title()}JobStatus"])

    def find_or_start(self, key: str) -> Job:
        found = self.find(key)
        if found:
            return found
        try:
            getattr(self.hook.conn, f"create_{self.kind}_job")(
                **{f"{self.kind.title()}JobName": key}, **fill(self.config, {**self.references, "submit_key": key})
            )
        except ClientError as error:
            found = self.find(key) if error.response["Error"]["Code"] == "ResourceInUse" else None
            if found:  # another submit was quicker between the two calls
                return found
            raise
        return Job(key, "InProgress", started=True)

    def console_link(self, job: Job) -> str:
        return console_link(self.kind, self.region_name, job.identifier)


class SubmitTrainingJobOperator(SubmitSageMakerJobOperator):
    """CreateTrainingJob, once."""

    kind = "training"


class SubmitProcessingJobOperator(SubmitSageMakerJobOperator):
    """CreateProcessingJob, once."""

    kind = "processing"
