"""Tuning jobs: one per name, its best trial as the result, stopped with its trials."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, TaskDeferred
from nightjar.jobs.sagemaker.tuning import SubmitTuningJobOperator, TuningJob
from nightjar.jobs.sensor import JobSensor
from nightjar.jobs.stop import StopJobsOperator

from tests.support.job_clouds import TaskInstance, context, fire
from tests.support.localcloud import ACCOUNT

pytestmark = pytest.mark.stack


@pytest.fixture
def name() -> str:
    return f"nj-tune-{uuid.uuid4().hex[:12]}"


def submit(name: str, **static: str) -> SubmitTuningJobOperator:
    config = {
        "HyperParameterTuningJobConfig": {
            "Strategy": "Grid",
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "auc"},
            "ResourceLimits": {"MaxParallelTrainingJobs": 2},
            "ParameterRanges": {"CategoricalParameterRanges": [{"Name": "auc", "Values": ["0.5", "0.7"]}]},
        },
        "TrainingJobDefinition": {
            "StaticHyperParameters": {"key": "${submit_key}", **static},
            "AlgorithmSpecification": {
                "TrainingImage": "job:1",
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "auc", "Regex": "metric:auc=([0-9.]+)"}],
            },
            "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/training",
            "OutputDataConfig": {"S3OutputPath": "s3://artifact/tune/${submit_key}/"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
            "StoppingCondition": {"MaxRuntimeInSeconds": 120},
        },
    }
    return SubmitTuningJobOperator(task_id="submit", submit_key=name, config=config)


def sense(name: str, ti: TaskInstance | None = None) -> Any:
    sensor = JobSensor(task_id="sense", job=TuningJob(name), poll_seconds=0.2)
    try:
        return sensor.execute(context(ti=ti))
    except TaskDeferred as deferred:
        return sensor.execute_complete(context(ti=ti), fire(deferred.trigger))


def test_the_result_is_the_best_trial_and_a_second_submit_adopts_the_job(sagemaker: Any, name: str) -> None:
    assert submit(name).execute(context()) == name == submit(name).execute(context())
    result = sense(name)
    assert (result["job_name"], result["objective"]) == (name, 0.7)
    assert (result["hyperparameters"], result["instance_type"]) == ({"auc": "0.7"}, "ml.m5.large")
    assert result["model_uri"] == f"s3://artifact/tune/{name}/{result['training_job_name']}/output/model.tar.gz"
    described = sagemaker.describe_training_job(TrainingJobName=result["training_job_name"])
    assert described["ModelArtifacts"]["S3ModelArtifacts"] == result["model_uri"]
    assert described["HyperParameters"]["key"] == name
    assert [(trial["status"], trial["objective"]) for trial in result["trials"]] == [
        ("Completed", 0.5),
        ("Completed", 0.7),
    ]
    assert all(trial["seconds"] > 0 for trial in result["trials"])
    assert submit(name).execute(context()) == name, "one that is done is adopted, too"


def test_a_job_whose_trials_fail_shows_how_many_and_their_log_and_is_followed_by_the_next_attempt(
    sagemaker: Any, name: str
) -> None:
    submit(name, fail="yes").execute(context())
    ti = TaskInstance()
    with pytest.raises(AirflowFailException) as failure:
        sense(name, ti)
    assert "All training jobs failed" in str(failure.value) and "the job got" in str(failure.value)
    assert "trials: NonRetryableError 2" in ti.xcoms["run_note"]
    assert submit(name).execute(context()) == f"{name}-a2"
    assert sense(f"{name}-a2")["objective"] == 0.7


def test_teardown_stops_the_trials_and_stopped_is_a_failure(sagemaker: Any, name: str) -> None:
    submit(name, seconds="60").execute(context())
    stop = StopJobsOperator(task_id="stop", jobs=[TuningJob(name), TuningJob("")])
    assert stop.execute(context()) == [name]
    with pytest.raises(AirflowFailException, match="Stopped"):
        sense(name)
    assert stop.execute(context()) == []


def test_without_a_request_there_is_no_job(sagemaker: Any, name: str) -> None:
    operator = submit(name)
    operator.config = None  # type: ignore[assignment]  # as the task before returned it
    with pytest.raises(AirflowSkipException, match="nothing to tune"):
        operator.execute(context())
