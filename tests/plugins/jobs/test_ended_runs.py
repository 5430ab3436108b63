"""Runs that a person or a time limit ends, on a real Airflow and the local cloud: their colour, and their jobs."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.localcloud import ACCOUNT, Cloud
from tests.support.real_airflow import RealAirflow, running_airflow

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

DAGS = f"""
from datetime import timedelta
from airflow.sdk import DAG, Param, task
from nightjar.jobs import JobSensor, StopJobsOperator
from nightjar.jobs.sagemaker import SubmitTrainingJobOperator, TrainingJob
from nightjar.runs import dag_options, output

CONFIG = {{
    "AlgorithmSpecification": {{
        "TrainingImage": "job:1", "TrainingInputMode": "File", "ContainerEntrypoint": ["python", "job.py"]
    }},
    "RoleArn": "arn:aws:iam::{ACCOUNT}:role/training",
    "HyperParameters": {{"seconds": "900"}},
    "OutputDataConfig": {{"S3OutputPath": "s3://artifact/jobs/"}},
    "ResourceConfig": {{"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10}},
    "StoppingCondition": {{"MaxRuntimeInSeconds": 900}},
}}
OPTIONS = dag_options("a", "b", "owner", "arn:aws:sns:us-east-1:{ACCOUNT}:absent")
PARAMS = {{"name": Param("", type="string")}}
with DAG("job", schedule=None, dagrun_timeout=timedelta(hours=1), params=PARAMS, **OPTIONS):
    submit = SubmitTrainingJobOperator(task_id="submit", submit_key="{{{{ params.name }}}}", config=CONFIG)
    sense = JobSensor(task_id="sense", job=TrainingJob(output(submit)), poll_seconds=1)

    @task
    def last() -> None: ...

    submit >> sense >> last()
    sense >> StopJobsOperator(task_id="stop_jobs", jobs=[sense.job]).as_teardown()

with DAG("blocked", schedule=None, **OPTIONS):

    @task(pool="absent")
    def first() -> None: ...

    @task
    def last() -> None: ...

    first() >> [last(), StopJobsOperator(task_id="stop_jobs", jobs=[]).as_teardown()]
"""


@pytest.fixture(scope="module")
def airflow(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealAirflow]:
    dags = tmp_path_factory.mktemp("dags")
    (dags / "ended.py").write_text(DAGS)
    cloud.client("s3").create_bucket(Bucket="artifact")
    with running_airflow(tmp_path_factory.mktemp("airflow"), dags, cloud.environment()) as running:
        yield running


@pytest.fixture
def name() -> str:
    return f"nj-{uuid.uuid4().hex[:20]}"


def job_state(cloud: Cloud, name: str) -> str:
    return str(cloud.client("sagemaker").describe_training_job(TrainingJobName=name)["TrainingJobStatus"])


def waiting_run(airflow: RealAirflow, cloud: Cloud, name: str) -> str:
    """A run whose sensor is deferred, and whose trigger asks about the job."""
    run = airflow.trigger("job", name=name)
    airflow.until(run, "sense", "deferred")

    def asked() -> int:
        return sum(request["action"] == "DescribeTrainingJob" for request in cloud.requests())

    before = asked()
    airflow.wait(lambda: asked() > before, "the trigger asks")
    return run


def mark_failed(airflow: RealAirflow, run: str) -> None:
    airflow.api.call("PATCH", run, json={"state": "failed"})


def test_a_run_that_is_marked_failed_ends_failed_and_its_job_is_stopped(
    airflow: RealAirflow, cloud: Cloud, name: str
) -> None:
    run = waiting_run(airflow, cloud, name)
    mark_failed(airflow, run)
    assert airflow.ended(run)["state"] == "failed"
    assert airflow.states(run) == {
        "submit": "success", "sense": "failed", "last": "upstream_failed", "stop_jobs": "success"
    }  # fmt: skip
    cloud.wait_until(lambda: job_state(cloud, name) == "Stopped")


def test_a_run_that_is_marked_failed_while_no_task_runs_ends_failed(airflow: RealAirflow) -> None:
    run = airflow.trigger("blocked")
    airflow.until(run, "first", "scheduled")
    mark_failed(airflow, run)
    assert airflow.ended(run)["state"] == "failed"


def test_a_run_over_its_time_limit_ends_failed_and_its_job_is_stopped(
    airflow: RealAirflow, cloud: Cloud, name: str
) -> None:
    run = waiting_run(airflow, cloud, name)
    airflow.execute_sql("UPDATE dag_run SET start_date = '2013-01-01 00:00:00' WHERE state = 'running'")
    assert airflow.ended(run)["state"] == "failed"
    cloud.wait_until(lambda: job_state(cloud, name) == "Stopped")


def test_the_job_of_a_deleted_run_is_stopped(airflow: RealAirflow, cloud: Cloud, name: str) -> None:
    run = waiting_run(airflow, cloud, name)
    airflow.api.call("PATCH", "/dags/job", json={"is_paused": True})  # Airflow deletes no run that is running
    try:
        airflow.api.call("PATCH", run, json={"state": "queued"})
        airflow.api.call("DELETE", run)
        cloud.wait_until(lambda: job_state(cloud, name) == "Stopped")
    finally:
        airflow.api.call("PATCH", "/dags/job", json={"is_paused": False})


def test_a_sensor_that_is_cleared_stops_nothing(airflow: RealAirflow, cloud: Cloud, name: str) -> None:
    run = waiting_run(airflow, cloud, name)
    instance: dict[str, Any] = airflow.api.call("GET", f"{run}/taskInstances/sense")
    body = {"dag_run_id": instance["dag_run_id"], "task_ids": ["sense"], "dry_run": False, "only_failed": False}
    airflow.api.call("POST", "/dags/job/clearTaskInstances", json=body)

    def deferred_again() -> bool:
        now = airflow.api.call("GET", f"{run}/taskInstances/sense")
        return bool(now["state"] == "deferred" and now["start_date"] > instance["start_date"])

    airflow.wait(deferred_again, "the sensor is deferred again")
    assert job_state(cloud, name) == "InProgress"
    mark_failed(airflow, run)
    assert airflow.ended(run)["state"] == "failed"
