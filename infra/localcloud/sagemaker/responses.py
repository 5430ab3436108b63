"""SageMaker actions that moto lacks or answers without doing anything."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.sagemaker.responses import SageMakerResponse

from infra.localcloud.sagemaker.models import SageMakerBackend

_DEFAULT_PAGE = 100
_OBJECTIVE = "FinalHyperParameterTuningJobObjectiveMetric"


def _backend(response: SageMakerResponse) -> SageMakerBackend:
    backend = response.sagemaker_backend
    assert isinstance(backend, SageMakerBackend)
    return backend


def create_training_job(self: SageMakerResponse) -> ActionResult:
    """Answers CreateTrainingJob."""
    return ActionResult({"TrainingJobArn": _backend(self).start_training(dict(self.params)).arn})


def describe_training_job(self: SageMakerResponse) -> ActionResult:
    """Answers DescribeTrainingJob."""
    return ActionResult(_backend(self).training_job(self._get_param("TrainingJobName")).describe())


def stop_training_job(self: SageMakerResponse) -> ActionResult:
    """Answers StopTrainingJob."""
    _backend(self).training_job(self._get_param("TrainingJobName")).stop()
    return EmptyResult()


def list_training_jobs(self: SageMakerResponse) -> ActionResult:
    """Answers ListTrainingJobs."""
    summaries = [job.summary() for job in _backend(self).all_training_jobs()]
    return ActionResult(listed(self, summaries, "TrainingJob"))


def create_processing_job(self: SageMakerResponse) -> ActionResult:
    """Answers CreateProcessingJob."""
    return ActionResult({"ProcessingJobArn": _backend(self).start_processing(dict(self.params)).arn})


def describe_processing_job(self: SageMakerResponse) -> ActionResult:
    """Answers DescribeProcessingJob."""
    return ActionResult(_backend(self).processing_job(self._get_param("ProcessingJobName")).describe())


def stop_processing_job(self: SageMakerResponse) -> ActionResult:
    """Answers StopProcessingJob."""
    _backend(self).processing_job(self._get_param("ProcessingJobName")).stop()
    return EmptyResult()


def list_processing_jobs(self: SageMakerResponse) -> ActionResult:
    """Answers ListProcessingJobs."""
    summaries = [job.summary() for job in _backend(self).all_processing_jobs()]
    return ActionResult(listed(self, summaries, "ProcessingJob"))


def listed(self: SageMakerResponse, summaries: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """Filters, order and page of a List action; ``kind`` is the prefix of the members' names."""

    def within(name: str, moment: datetime) -> bool:
        after, before = self._get_param(f"{name}After"), self._get_param(f"{name}Before")
        # moto's times are UTC without a zone.
        late_enough = after is None or moment >= after.replace(tzinfo=None)
        return late_enough and (before is None or moment <= before.replace(tzinfo=None))

    text, status = self._get_param("NameContains"), self._get_param("StatusEquals")
    found = [
        summary
        for summary in summaries
        if (not text or text.lower() in summary[f"{kind}Name"].lower())
        and (not status or summary[f"{kind}Status"] == status)
        and within("CreationTime", summary["CreationTime"])
        and within("LastModifiedTime", summary.get("LastModifiedTime", summary["CreationTime"]))
    ]
    by, descending = self._get_param("SortBy"), self._get_param("SortOrder") == "Descending"
    if by == "FinalObjectiveMetricValue":  # of a tuning job's trials: those without one come last
        measured = [summary for summary in found if _OBJECTIVE in summary]
        measured.sort(key=lambda summary: summary[_OBJECTIVE]["Value"], reverse=descending)
        found = measured + [summary for summary in found if _OBJECTIVE not in summary]
    else:
        key = {"Name": f"{kind}Name", "Status": f"{kind}Status"}.get(by, "CreationTime")
        found.sort(key=lambda summary: summary[key], reverse=descending)
    start, size = int(self._get_param("NextToken") or 0), int(self._get_param("MaxResults") or _DEFAULT_PAGE)
    page: dict[str, Any] = {f"{kind}Summaries": found[start : start + size]}
    if start + size < len(found):
        page["NextToken"] = str(start + size)
    return page


ACTIONS = (
    create_training_job,
    describe_training_job,
    stop_training_job,
    list_training_jobs,
    create_processing_job,
    describe_processing_job,
    stop_processing_job,
    list_processing_jobs,
)
