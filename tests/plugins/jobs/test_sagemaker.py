"""One job per name, on the local cloud, which really runs them."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred
from nightjar.jobs.sagemaker.jobs import ProcessingJob, TrainingJob
from nightjar.jobs.sagemaker.submit import SubmitProcessingJobOperator, SubmitTrainingJobOperator, is_absent
from nightjar.jobs.sensor import JobSensor
from nightjar.jobs.stop import StopJobsOperator

from tests.support.job_clouds import KilledTaskInstance, TaskInstance, context, fire
from tests.support.localcloud import ACCOUNT

pytestmark = pytest.mark.stack
ROLE = f"arn:aws:iam::{ACCOUNT}:role/training"
CLUSTER = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10}


@pytest.fixture
def name() -> str:
    return f"nj-flights-train-{uuid.uuid4().hex[:20]}"


def submit(name: str, hyperparameters: dict[str, str]) -> SubmitTrainingJobOperator:
    config = {
        "AlgorithmSpecification": {
            "TrainingImage": "job:1",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python", "job.py"],
        },
        "RoleArn": ROLE,
        "HyperParameters": {"key": "${submit_key}", "note": "${note}", **hyperparameters},
        "OutputDataConfig": {"S3OutputPath": "s3://artifact/jobs/"},
        "ResourceConfig": CLUSTER,
        "StoppingCondition": {"MaxRuntimeInSeconds": 120},
    }
    return SubmitTrainingJobOperator(task_id="submit", submit_key=name, config=config, references={"note": "seen"})


def sense(sensor: Any, ti: TaskInstance | None = None) -> Any:
    try:
        return sensor.execute(context(ti=ti))
    except TaskDeferred as deferred:
        return sensor.execute_complete(context(ti=ti), fire(deferred.trigger))


def training(name: str) -> JobSensor:
    return JobSensor(task_id="sense", job=TrainingJob(name), poll_seconds=0.2)


def jobs(sagemaker: Any, name: str) -> list[str]:
    found = sagemaker.list_training_jobs(NameContains=name)["TrainingJobSummaries"]
    return sorted(job["TrainingJobName"] for job in found)


def test_a_killed_worker_starts_no_second_job_and_the_job_succeeds(sagemaker: Any, name: str) -> None:
    with pytest.raises(SystemExit):
        submit(name, {"seconds": "1"}).execute(context(ti=KilledTaskInstance()))
    assert submit(name, {"seconds": "1"}).execute(context()) == name
    result = sense(training(name))
    assert result["model_uri"] == f"s3://artifact/jobs/{name}/output/model.tar.gz"
    assert result["instance_type"] == "ml.m5.large"
    described = sagemaker.describe_training_job(TrainingJobName=name)
    assert described["HyperParameters"]["key"] == name
    assert described["HyperParameters"]["note"] == "seen"
    # Done is adopted too.
    assert submit(name, {"seconds": "1"}).execute(context()) == name
    assert jobs(sagemaker, name) == [name]


def test_a_failed_job_shows_its_reason_and_log_and_is_followed_by_the_next_attempt(sagemaker: Any, name: str) -> None:
    submit(name, {"fail": "yes"}).execute(context())
    ti = TaskInstance()
    with pytest.raises(AirflowFailException) as failure:
        sense(training(name), ti)
    text = str(failure.value)
    assert "no such column: f_distance" in text and "the job got" in text
    assert "no such column" in ti.xcoms["run_note"]
    ti = TaskInstance()
    assert submit(name, {"fail": ""}).execute(context(ti=ti)) == f"{name}-a2"
    assert ti.xcoms["submit_key"] == f"{name}-a2"
    sense(training(f"{name}-a2"))


def test_two_submits_at_once_make_one_job(sagemaker: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    operator = submit(name, {"seconds": "1"})
    find, looks = operator.find, []

    def blind_once(key: str) -> Any:
        """The other submit creates the job between our look and our create."""
        looks.append(key)
        if len(looks) == 1:
            submit(name, {"seconds": "1"}).execute(context())
            return None
        return find(key)

    monkeypatch.setattr(operator, "find", blind_once)
    assert operator.execute(context()) == name
    assert jobs(sagemaker, name) == [name]
    sense(training(name))


def test_teardown_stops_a_job_that_outlives_its_run_and_stopped_is_a_failure(sagemaker: Any, name: str) -> None:
    submit(name, {"seconds": "60"}).execute(context())
    with pytest.raises(TaskDeferred):  # a sensor that is cleared stops nothing
        training(name).execute(context())
    assert sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"] == "InProgress"
    stop = StopJobsOperator(task_id="stop", jobs=[TrainingJob(name), ProcessingJob("")])
    assert stop.execute(context()) == [name]
    with pytest.raises(AirflowFailException, match="Stopped"):
        sense(training(name))
    assert stop.execute(context()) == []


@pytest.mark.parametrize("arguments", [[], ["--fail"]])
def test_processing_jobs_are_alike(sagemaker: Any, name: str, arguments: list[str]) -> None:
    output = {
        "S3Uri": "s3://artifact/out/${submit_key}/",
        "LocalPath": "/opt/ml/processing/output",
        "S3UploadMode": "EndOfJob",
    }
    config = {
        "AppSpecification": {
            "ImageUri": "job:1",
            "ContainerEntrypoint": ["python", "job.py"],
            "ContainerArguments": ["x", *arguments],
        },
        "RoleArn": ROLE,
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "evaluation", "S3Output": output}]},
        "ProcessingResources": {"ClusterConfig": CLUSTER},
        "StoppingCondition": {"MaxRuntimeInSeconds": 120},
    }
    submit = SubmitProcessingJobOperator(task_id="submit", submit_key=name, config=config)
    assert submit.execute(context()) == name
    sensor = JobSensor(task_id="sense", job=ProcessingJob(name), poll_seconds=0.2)
    if arguments:
        with pytest.raises(AirflowFailException, match="f_distance"):
            sense(sensor)
        assert submit.execute(context()) == f"{name}-a2"
    else:
        assert sense(sensor)["outputs"] == {"evaluation": f"s3://artifact/out/{name}/"}
        assert submit.execute(context()) == name


def test_other_errors_are_not_taken_for_absence(sagemaker: Any) -> None:
    from botocore.exceptions import ClientError

    denied = ClientError(
        {"Error": {"Code": "AccessDeniedException", "Message": "not found in policy"}}, "DescribeTrainingJob"
    )
    assert not is_absent(denied)
