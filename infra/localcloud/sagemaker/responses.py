"""SageMaker actions that really do something, and those that moto lacks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from moto.core.responses import ActionResult, EmptyResult

from .models import MachineLearning

_DEFAULT_PAGE = 100


def _backend(response: Any) -> MachineLearning:
    return response.sagemaker_backend


def create_training_job(self: Any) -> ActionResult:
    return ActionResult({"TrainingJobArn": _backend(self).start_training(dict(self.params)).arn})


def describe_training_job(self: Any) -> ActionResult:
    backend = _backend(self)
    return ActionResult(backend.job(backend.training_jobs, self._get_param("TrainingJobName")).describe())


def stop_training_job(self: Any) -> ActionResult:
    backend = _backend(self)
    backend.job(backend.training_jobs, self._get_param("TrainingJobName")).stop()
    return EmptyResult()


def list_training_jobs(self: Any) -> ActionResult:
    backend = _backend(self)
    return ActionResult(_listed(self, [job.summary() for job in backend.jobs(backend.training_jobs)], "TrainingJob"))


def create_processing_job(self: Any) -> ActionResult:
    return ActionResult({"ProcessingJobArn": _backend(self).start_processing(dict(self.params)).arn})


def describe_processing_job(self: Any) -> ActionResult:
    backend = _backend(self)
    return ActionResult(backend.job(backend.processing_jobs, self._get_param("ProcessingJobName")).describe())


def stop_processing_job(self: Any) -> ActionResult:
    backend = _backend(self)
    backend.job(backend.processing_jobs, self._get_param("ProcessingJobName")).stop()
    return EmptyResult()


def list_processing_jobs(self: Any) -> ActionResult:
    backend = _backend(self)
    return ActionResult(
        _listed(self, [job.summary() for job in backend.jobs(backend.processing_jobs)], "ProcessingJob")
    )


def _listed(self: Any, summaries: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """Filters, order and page of a List action; ``kind`` is the prefix of the members' names."""

    def within(name: str, moment: datetime) -> bool:
        after, before = self._get_param(f"{name}After"), self._get_param(f"{name}Before")
        # moto's times are UTC without a zone.
        late_enough = after is None or moment >= after.replace(tzinfo=None)
        return late_enough and (before is None or moment <= before.replace(tzinfo=None))

    text, status = self._get_param("NameContains"), self._get_param("StatusEquals")
    found = [
        told
        for told in summaries
        if (not text or text.lower() in told[f"{kind}Name"].lower())
        and (not status or told[f"{kind}Status"] == status)
        and within("CreationTime", told["CreationTime"])
        and within("LastModifiedTime", told["LastModifiedTime"])
    ]
    key = {"Name": f"{kind}Name", "Status": f"{kind}Status"}.get(self._get_param("SortBy"), "CreationTime")
    found.sort(key=lambda told: told[key], reverse=self._get_param("SortOrder") == "Descending")
    start, size = int(self._get_param("NextToken") or 0), int(self._get_param("MaxResults") or _DEFAULT_PAGE)
    page: dict[str, Any] = {f"{kind}Summaries": found[start : start + size]}
    if start + size < len(found):
        page["NextToken"] = str(start + size)
    return page


REPLACED = [
    create_training_job,
    describe_training_job,
    stop_training_job,
    list_training_jobs,
    create_processing_job,
    describe_processing_job,
    stop_processing_job,
    list_processing_jobs,
]
