"""A service that the toolkit does not know: submit, sensor and teardown work with its two classes as they are."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred
from botocore.exceptions import ClientError
from nightjar.jobs.ecs import EcsRollout
from nightjar.jobs.job import Description, LogStream, StoppableJob
from nightjar.jobs.sensor import JobSensor
from nightjar.jobs.stop import StopJobsOperator
from nightjar.jobs.submit import Attempt, SubmitOperator

from tests.support.job_clouds import TaskInstance, context


class Client:
    """The boto3 client of a service with runs: token → state."""

    meta = SimpleNamespace(region_name="eu-west-1", endpoint_url="https://emr-serverless.eu-west-1.amazonaws.com")

    def __init__(self) -> None:
        self.runs: dict[str, str] = {}
        self.error: str | None = None  # the code with which AWS answers

    def get_job_run(self, applicationId: str, jobRunId: str) -> Description:  # noqa: N803 - boto3's names
        if self.error:
            raise ClientError({"Error": {"Code": self.error, "Message": "no"}}, "GetJobRun")
        return {"jobRun": {"state": self.runs[jobRunId], "stateDetails": "out of memory"}}


@dataclass(frozen=True)
class EmrServerlessRun(StoppableJob[Client]):
    application_id: str
    run_id: str

    client_type = "emr-serverless"
    describe_method = "get_job_run"
    state_path = "jobRun.state"
    active = frozenset({"SUBMITTED", "RUNNING"})
    stopping = frozenset({"CANCELLING"})
    succeeded = frozenset({"SUCCESS"})

    @property
    def identifier(self) -> str:
        return self.run_id

    def describe_arguments(self) -> dict[str, Any]:
        return {"applicationId": self.application_id, "jobRunId": self.run_id}

    def result(self, description: Description) -> dict[str, object]:
        return {"run_id": self.run_id}

    def reason(self, client: Client, description: Description) -> str:
        return str(description["jobRun"]["stateDetails"])

    def log_streams(self, client: Client, description: Description) -> list[LogStream]:
        return []

    def console_link(self, region: str) -> str:
        return f"https://console.aws.amazon.com/emr/home?region={region}#/serverless-applications/{self.application_id}/{self.run_id}"

    def stop(self, client: Client) -> None:
        client.runs[self.run_id] = "CANCELLING"


class SubmitEmrServerlessJobOperator(SubmitOperator):
    client_type = EmrServerlessRun.client_type
    application_id: ClassVar[str] = "app"

    def submitted_job(self) -> EmrServerlessRun:
        return EmrServerlessRun(self.application_id, self.output)  # type: ignore[arg-type]  # as the toolkit's do

    def find_or_start(self, key: str) -> Attempt:
        client: Any = self.hook.conn
        started = key not in client.runs
        client.runs.setdefault(key, "SUBMITTED")
        return Attempt(EmrServerlessRun(self.application_id, key), client.runs[key], started)


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Client:
    made = Client()
    monkeypatch.setattr(AwsBaseHook, "conn", made)
    return made


def sensor(run_id: str) -> JobSensor:
    return JobSensor(task_id="sense", job=EmrServerlessRun("app", run_id))


def submit(ti: TaskInstance | None = None) -> str:
    operator = SubmitEmrServerlessJobOperator(task_id="submit", submit_key="key")
    return operator.execute(context(ti=ti))


def test_submit_adopts_and_starts_the_next_attempt(client: Client) -> None:
    assert submit() == submit() == "key"
    client.runs["key"] = "FAILED"
    ti = TaskInstance()
    assert submit(ti) == "key-a2"
    assert ti.xcoms["submit_key"] == "key-a2"


@pytest.mark.parametrize("state", ["SUBMITTED", "RUNNING", "CANCELLING"])
def test_the_sensor_defers_with_all_that_the_trigger_needs(client: Client, state: str) -> None:
    client.runs["key"] = state
    with pytest.raises(TaskDeferred) as deferred:
        sensor("key").execute(context())
    _, arguments = deferred.value.trigger.serialize()
    assert arguments["job_class"].endswith(".test_new_service.EmrServerlessRun")
    assert arguments["job_fields"] == {"application_id": "app", "run_id": "key"}
    assert arguments["state"] == state


def test_the_sensor_waits_while_aws_is_busy_and_not_after_another_error(client: Client) -> None:
    client.runs["key"] = "RUNNING"
    client.error = "ThrottlingException"
    with pytest.raises(TaskDeferred):
        sensor("key").execute(context())
    client.error = "ValidationException"
    with pytest.raises(ClientError):
        sensor("key").execute(context())


def test_both_tasks_link_to_the_job_in_its_region(client: Client) -> None:
    client.runs["key"] = "SUCCESS"
    task = sensor("key")
    task.execute(context())
    starter = SubmitEmrServerlessJobOperator(task_id="submit", submit_key="key")
    starter.execute(context())
    key: Any = None  # the link does not depend on it
    for operator in (task, starter):
        (link,) = operator.operator_extra_links
        assert link.get_link(operator, ti_key=key) == EmrServerlessRun("app", "key").console_link("eu-west-1")


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:4566", "https://amazonaws.com.example.org"])
def test_a_job_of_another_endpoint_links_to_that_endpoints_console_if_it_has_one(
    client: Client, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "meta", SimpleNamespace(region_name="eu-west-1", endpoint_url=endpoint))
    job = EmrServerlessRun("app", "a/b&c")
    assert not job.link(client)
    monkeypatch.setenv("AIRFLOW__NIGHTJAR__CONSOLE_URL", "http://127.0.0.1:8080/jobs")
    assert job.link(client) == "http://127.0.0.1:8080/jobs/EmrServerlessRun?application_id=app&run_id=a%2Fb%26c"


def test_a_job_of_aws_links_to_its_console_whatever_other_console_there_is(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__NIGHTJAR__CONSOLE_URL", "http://127.0.0.1:8080/jobs")
    job = EmrServerlessRun("app", "key")
    assert job.link(client) == job.console_link("eu-west-1")


def test_the_sensor_ends_as_the_job_did(client: Client) -> None:
    client.runs |= {"good": "SUCCESS", "bad": "FAILED"}
    assert sensor("good").execute(context()) == {"run_id": "good"}
    with pytest.raises(AirflowFailException, match=r"(?s)ended FAILED: out of memory.*serverless-applications/app/bad"):
        sensor("bad").execute(context())


def test_the_teardown_stops_what_is_active(client: Client) -> None:
    client.runs |= {"active": "RUNNING", "done": "SUCCESS"}
    jobs = [EmrServerlessRun("app", run_id) for run_id in ("active", "done", "")]
    assert StopJobsOperator(task_id="stop", jobs=jobs).execute(context()) == ["active"]
    assert client.runs == {"active": "CANCELLING", "done": "SUCCESS"}


def test_a_reference_without_all_methods_cannot_be_made() -> None:
    @dataclass(frozen=True)
    class Unfinished(StoppableJob[Client]):
        run_id: str

    with pytest.raises(TypeError, match="abstract"):
        Unfinished("1")  # type: ignore[abstract]  # the error is the point


def test_a_job_that_cannot_be_stopped_is_refused_when_the_dag_is_parsed() -> None:
    with pytest.raises(TypeError, match="EcsRollout cannot be stopped"):
        StopJobsOperator(task_id="stop", jobs=[EcsRollout("cluster", "service", "arn", "definition")])
