"""The training, tuning and processing jobs whose names begin with a prefix."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from nightjar.jobs.listing import JobListing, ListedJob
from nightjar.jobs.sagemaker.jobs import ProcessingJob, SageMakerJob, TrainingJob
from nightjar.jobs.sagemaker.tuning import TuningJob

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient


@dataclass(frozen=True)
class SageMakerJobs(JobListing):
    """Jobs of one kind. Those that run are listed however old they are: a job may last for days.

    Attributes:
        prefix: What the names of the jobs begin with.
        method: boto3's name of the list call.
        kind: What the names of its members begin with.
        job_class: The class of the jobs.
    """

    prefix: str

    client_type = "sagemaker"
    method: ClassVar[str]
    kind: ClassVar[str]
    job_class: ClassVar[type[SageMakerJob]]

    def listed(self, client: SageMakerClient, since: datetime) -> Iterator[ListedJob]:
        """Iterates over the jobs that run, and over those that have changed since an instant."""
        seen: set[str] = set()
        choices: tuple[dict[str, Any], ...] = ({"StatusEquals": "InProgress"}, {"LastModifiedTimeAfter": since})
        list_jobs: Any = client.get_paginator(self.method)  # type: ignore[call-overload]
        for choice in choices:
            for page in list_jobs.paginate(NameContains=self.prefix, **choice):
                for summary in page[f"{self.kind}Summaries"]:
                    name = summary[f"{self.kind}Name"]
                    if name.startswith(self.prefix) and name not in seen:
                        seen.add(name)
                        status, begun = summary[f"{self.kind}Status"], summary["CreationTime"]
                        yield ListedJob(self.job_class(name), status, begun)


class TrainingJobs(SageMakerJobs):
    """The training jobs, those of tuning jobs too."""

    method = "list_training_jobs"
    kind = "TrainingJob"
    job_class = TrainingJob


class TuningJobs(SageMakerJobs):
    """The tuning jobs. They cost nothing by themselves: their trials are training jobs."""

    method = "list_hyper_parameter_tuning_jobs"
    kind = "HyperParameterTuningJob"
    job_class = TuningJob


class ProcessingJobs(SageMakerJobs):
    """The processing jobs."""

    method = "list_processing_jobs"
    kind = "ProcessingJob"
    job_class = ProcessingJob
