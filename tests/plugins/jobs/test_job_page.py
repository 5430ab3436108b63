"""The laptop's page of each kind of job: what the job's link opens, and what it refuses."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.sagemaker.models import sagemaker_backends
from nightjar.jobs.athena.query import AthenaQuery
from nightjar.jobs.ecs import EcsRollout
from nightjar.jobs.glue.run import GlueRun
from nightjar.jobs.job import RemoteJob
from nightjar.jobs.sagemaker.jobs import ProcessingJob, TrainingJob

from infra.laptop.free_ports import free_port
from tests.support.job_clouds import ACCOUNT, REGION
from tests.support.job_pages import CONSOLE, HOSTILE, Page, get, open_link, pages
from tests.support.localcloud import Cloud

pytestmark = pytest.mark.stack

ROLE = f"arn:aws:iam::{ACCOUNT}:role/job"
CLUSTER: dict[str, Any] = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10}


@pytest.fixture(autouse=True)
def laptop(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cloud, and a console for it."""
    monkeypatch.setenv("AIRFLOW__NIGHTJAR__CONSOLE_URL", CONSOLE)


def glue_run(aws: Any) -> GlueRun:
    aws("glue").create_job(Name="transform", Role=ROLE, Command={"Name": "glueetl"})
    run = aws("glue").start_job_run(JobName="transform", Arguments={"--note": HOSTILE})
    return GlueRun("transform", run["JobRunId"])


def athena_query(aws: Any) -> AthenaQuery:
    started = aws("athena").start_query_execution(
        QueryString=f"SELECT '{HOSTILE}'", ResultConfiguration={"OutputLocation": "s3://artifact/athena/"}
    )
    return AthenaQuery(started["QueryExecutionId"])


def training_job(aws: Any) -> TrainingJob:
    aws("sagemaker").create_training_job(
        TrainingJobName="train",
        AlgorithmSpecification={"TrainingImage": "job:1", "TrainingInputMode": "File"},
        RoleArn=ROLE,
        HyperParameters={"note": HOSTILE},
        OutputDataConfig={"S3OutputPath": "s3://artifact/jobs/"},
        ResourceConfig=CLUSTER,
        StoppingCondition={"MaxRuntimeInSeconds": 120},
    )
    return TrainingJob("train")


def processing_job(aws: Any) -> ProcessingJob:
    aws("sagemaker").create_processing_job(
        ProcessingJobName="evaluate",
        AppSpecification={"ImageUri": "job:1", "ContainerArguments": [HOSTILE]},
        RoleArn=ROLE,
        ProcessingResources={"ClusterConfig": CLUSTER},
        StoppingCondition={"MaxRuntimeInSeconds": 120},
    )
    return ProcessingJob("evaluate")


def write_log(aws: Any, group: str, stream: str, message: str) -> None:
    logs = aws("logs")
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    event = {"timestamp": int(time.time() * 1000), "message": message}
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[event])


def open_job(aws: Any, job: RemoteJob[Any]) -> Page:
    return open_link(job.link(aws(job.client_type)))


@pytest.mark.parametrize(
    ("start", "title"),
    [
        (glue_run, "Glue job run"),
        (athena_query, "Athena query"),
        (training_job, "SageMaker training job"),
        (processing_job, "SageMaker processing job"),
    ],
)
def test_a_link_opens_the_job_and_its_values_make_no_markup(
    aws: Any, start: Callable[[Any], RemoteJob[Any]], title: str
) -> None:
    job = start(aws)
    page = open_job(aws, job)
    assert page.status == 200
    assert title in page.text and job.identifier in page.text
    assert HOSTILE.replace('"', '\\"') in page.text, "the description is JSON"
    assert page.facts["state"] == job.state(job.describe(aws(job.client_type)))
    assert datetime.fromisoformat(page.facts["start"]).tzinfo == UTC


def test_a_failed_job_shows_its_end_its_reason_and_the_end_of_its_log(aws: Any) -> None:
    job = training_job(aws)
    assert "Why it failed" not in open_job(aws, job).text
    ended: Any = sagemaker_backends[ACCOUNT][REGION].training_jobs["train"]
    ended.training_job_status, ended.failure_reason = "Failed", f"out of memory {HOSTILE}"
    write_log(aws, "/aws/sagemaker/TrainingJobs", "train/algo-1", f"the last line {HOSTILE}")
    page = open_job(aws, job)
    assert "Why it failed" in page.text and f"out of memory {HOSTILE}" in page.text
    assert f"the last line {HOSTILE}" in page.text


@pytest.mark.parametrize(
    "job",
    [
        GlueRun("transform", "jr_1"),
        GlueRun("", ""),
        AthenaQuery("1" * 36),
        TrainingJob(HOSTILE),
        ProcessingJob("absent"),
        EcsRollout("c", "s", f"arn:aws:ecs:{REGION}:{ACCOUNT}:service-deployment/c/s/1", "s:1"),
        EcsRollout(HOSTILE, HOSTILE, HOSTILE, HOSTILE),
    ],
    ids=str,
)
def test_a_job_that_does_not_exist_is_not_found(on_cloud: Cloud, job: RemoteJob[Any]) -> None:
    page = open_link(job.link(on_cloud.client(job.client_type)))
    assert page.status == 404, page.text
    assert "AWS knows no such job" in page.text


@pytest.mark.parametrize(
    "path",
    [
        "/GlueRun",
        "/GlueRun?job_name=a",
        "/GlueRun?job_name=a&run_id=b&more=c",
        "/RemoteJob",
        "/AthenaQuery?__class__=a",
    ],
)
def test_an_address_that_names_no_job_is_not_found(path: str) -> None:
    page = open_link(f"{CONSOLE}{path}")
    assert page.status == 404
    assert "This address names no job. Open the job with the link on its task" in page.text


def test_a_cloud_that_does_not_run_says_so(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    link = glue_run(aws).link(aws("glue"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    page = open_link(link)
    assert page.status == 503
    assert "AWS does not answer" in page.text and "make status" in page.text


@pytest.mark.parametrize(("code", "status"), [("AccessDeniedException", 403), ("ThrottlingException", 503)])
def test_a_refusal_is_not_taken_for_absence(aws: Any, monkeypatch: pytest.MonkeyPatch, code: str, status: int) -> None:
    def refuse(*_: Any) -> Any:
        answer: Any = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
        raise ClientError(answer, "GetJobRun")

    monkeypatch.setattr(GlueRun, "describe", refuse)
    page = open_job(aws, GlueRun("transform", "jr_1"))
    assert page.status == status
    assert code in page.text


def test_every_page_needs_a_login(aws: Any) -> None:
    link = glue_run(aws).link(aws("glue")).removeprefix(CONSOLE)
    with pages(login=False) as app:
        assert [get(app, path).status_code for path in (link, "/Unknown")] == [401, 401]
        assert [get(app, path).status_code for path in ("/docs", "/redoc", "/openapi.json")] == [401] * 3
    with pages() as app:
        assert get(app, "/docs").status_code == 404
