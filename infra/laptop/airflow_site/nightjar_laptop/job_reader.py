"""What the page of a job shows. The job references of ``nightjar.jobs`` ask AWS for it, with this process's role."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

import jmespath
from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.providers.amazon.aws.hooks.ssm import SsmHook
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from nightjar.busy import busy_reason
from nightjar.denied import CODES as DENIED
from nightjar.jobs.athena.query import AthenaQuery
from nightjar.jobs.ecs import EcsRollout, EcsService
from nightjar.jobs.glue.run import GlueRun
from nightjar.jobs.job import Description, RemoteJob
from nightjar.jobs.log_tail import job_log_tail
from nightjar.jobs.sagemaker.jobs import ProcessingJob, TrainingJob
from nightjar.jobs.sagemaker.tuning import TuningJob

from include.lake import resources

from .not_shown import NotShownError

LOG_LINES = 200  # of each stream
OWN_CREDENTIALS = {"aws_conn_id": None}


@dataclass(frozen=True)
class Kind:
    """A kind of job; the paths are JMESPath in AWS's description of a job."""

    title: str
    job_class: type[RemoteJob[Any]]
    started: str
    ended: str


KINDS = {
    kind.job_class.__name__: kind
    for kind in (
        Kind("Glue job run", GlueRun, "JobRun.StartedOn", "JobRun.CompletedOn"),
        Kind(
            "Athena query",
            AthenaQuery,
            "QueryExecution.Status.SubmissionDateTime",
            "QueryExecution.Status.CompletionDateTime",
        ),
        Kind("SageMaker training job", TrainingJob, "TrainingStartTime || CreationTime", "TrainingEndTime"),
        Kind("SageMaker tuning job", TuningJob, "CreationTime", "HyperParameterTuningEndTime"),
        Kind("SageMaker processing job", ProcessingJob, "ProcessingStartTime || CreationTime", "ProcessingEndTime"),
        Kind(
            "ECS service rollout",
            EcsRollout,
            "serviceDeployments[0].startedAt || serviceDeployments[0].createdAt",
            "serviceDeployments[0].finishedAt || serviceDeployments[0].stoppedAt",
        ),
    )
}


@dataclass(frozen=True)
class Job:
    """A job as its page shows it.

    Attributes:
        title: The kind of job.
        facts: Names and values: the reference's fields, the state, start and end.
        reason: Why the job failed; empty if it did not.
        sections: Titles and longer texts.
        service_url: The page of the service that a rollout is for; empty if there is none.
    """

    title: str
    facts: dict[str, str]
    reason: str
    sections: dict[str, str]
    service_url: str = ""


def read_job(kind_name: str, values: Mapping[str, str]) -> Job:
    """Asks AWS for a job.

    Args:
        kind_name: Name of the class in ``nightjar.jobs``, as in the link.
        values: The fields of the class.

    Raises:
        NotShownError: There is no such job, or AWS does not answer.
    """
    kind = KINDS.get(kind_name)
    names = {field.name for field in fields(kind.job_class)} if kind else set()
    if kind is None or set(values) != names:
        raise NotShownError(404, "This address names no job. Open the job with the link on its task in Airflow.")
    job = kind.job_class(**values)
    client: Any = AwsBaseHook(**OWN_CREDENTIALS, client_type=job.client_type).conn
    description = _describe(job, client)
    state = str(job.state(description))
    failed = state not in job.active | job.stopping | job.succeeded
    facts = {
        **values,
        "state": state,
        "start": _instant(kind.started, description),
        "end": _instant(kind.ended, description),
    }
    sections = {"Description": _json(description), **_deployments(job, client)}
    sections["End of the log"] = job_log_tail(job, client, description, OWN_CREDENTIALS, LOG_LINES)
    return Job(kind.title, facts, job.reason(client, description) if failed else "", sections, _service_url(job))


def _describe(job: RemoteJob[Any], client: Any) -> Description:
    """AWS's description, without what is about the answer.

    Raises:
        NotShownError: AWS refused, is busy, or knows no such job.
    """
    try:
        description = job.describe(client)
    except (ClientError, BotoCoreError) as error:
        raise _refusal(job, error) from error
    if job.state(description) is None:
        raise NotShownError(404, f"AWS knows no such job: {job}.")
    return {name: value for name, value in description.items() if name != "ResponseMetadata"}


def _refusal(job: RemoteJob[Any], error: ClientError | BotoCoreError) -> NotShownError:
    if isinstance(error, ClientError):
        if error.response["Error"].get("Code") in DENIED:
            return NotShownError(403, f"Airflow's role may not see {job}: {error}")
        if not busy_reason(error) and error.response["ResponseMetadata"].get("HTTPStatusCode", 500) < 500:
            return NotShownError(404, f"AWS knows no such job: {job}. {error}")
    elif isinstance(error, ParamValidationError):
        return NotShownError(404, f"AWS knows no such job: {job}. {error}")
    return NotShownError(503, f"AWS does not answer: {error}. Load this page again; see also make status.")


def _deployments(job: RemoteJob[Any], client: Any) -> dict[str, str]:
    """The deployments of a rollout's service; nothing for another kind of job."""
    if not isinstance(job, EcsRollout):
        return {}
    try:
        text = _json(EcsService(client, job.cluster, job.service).describe()["deployments"])
    except (ClientError, BotoCoreError, LookupError) as error:
        text = f"(the service's deployments cannot be read: {error})"
    return {"Deployments of the service": text}


def _service_url(job: RemoteJob[Any]) -> str:
    """The URL of a rollout's service, as deploys read it; empty where none is known."""
    if not isinstance(job, EcsRollout):
        return ""
    workload = job.service.removeprefix(resources.service_name(""))
    try:
        url = SsmHook(**OWN_CREDENTIALS).get_parameter_value(resources.service_url_parameter(workload))
    except (ClientError, BotoCoreError):
        return ""
    return url if url.startswith(("http://", "https://")) else ""


def _instant(path: str, description: Description) -> str:
    value = jmespath.search(path, description)
    return value.astimezone(UTC).isoformat(sep=" ", timespec="seconds") if isinstance(value, datetime) else "–"


def _json(value: object) -> str:
    return json.dumps(value, indent=2, default=str, ensure_ascii=False)
