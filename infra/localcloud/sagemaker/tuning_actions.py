"""SageMaker's actions on tuning jobs."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.sagemaker.responses import SageMakerResponse

from infra.localcloud.sagemaker.models import SageMakerBackend
from infra.localcloud.sagemaker.responses import listed
from infra.localcloud.sagemaker.tuning import TuningJob

_KIND = "HyperParameterTuningJob"


def _backend(response: SageMakerResponse) -> SageMakerBackend:
    backend = response.sagemaker_backend
    assert isinstance(backend, SageMakerBackend)
    return backend


def _job(response: SageMakerResponse) -> TuningJob:
    return _backend(response).tuning_job(response._get_param(f"{_KIND}Name"))


def create_hyper_parameter_tuning_job(self: SageMakerResponse) -> ActionResult:
    """Answers CreateHyperParameterTuningJob."""
    return ActionResult({f"{_KIND}Arn": _backend(self).start_tuning(dict(self.params)).arn})


def describe_hyper_parameter_tuning_job(self: SageMakerResponse) -> ActionResult:
    """Answers DescribeHyperParameterTuningJob."""
    return ActionResult(_job(self).describe())


def stop_hyper_parameter_tuning_job(self: SageMakerResponse) -> ActionResult:
    """Answers StopHyperParameterTuningJob."""
    _job(self).stop()
    return EmptyResult()


def list_hyper_parameter_tuning_jobs(self: SageMakerResponse) -> ActionResult:
    """Answers ListHyperParameterTuningJobs."""
    jobs = list(_backend(self).hyper_parameter_tuning_jobs.values())
    return ActionResult(listed(self, [job.summary() for job in jobs], _KIND))


def list_training_jobs_for_hyper_parameter_tuning_job(self: SageMakerResponse) -> ActionResult:
    """Answers ListTrainingJobsForHyperParameterTuningJob."""
    job = _job(self)
    return ActionResult(listed(self, [trial.summary(job.objective) for trial in list(job.trials)], "TrainingJob"))


ACTIONS: tuple[Any, ...] = (
    create_hyper_parameter_tuning_job,
    describe_hyper_parameter_tuning_job,
    stop_hyper_parameter_tuning_job,
    list_hyper_parameter_tuning_jobs,
    list_training_jobs_for_hyper_parameter_tuning_job,
)
