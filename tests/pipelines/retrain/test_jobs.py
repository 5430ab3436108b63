"""The requests of the training job and the evaluation job."""

from __future__ import annotations

from typing import Any

import pytest

from include.errors import UserError
from include.pipelines.promotion.packages import Package
from include.pipelines.retrain.jobs import JobInputs, JobRequests, job_requests
from include.pipelines.training_image import training_image
from include.workloads import Workload, load
from include.workloads.jobs import JobsSpec
from tests.support.packages import package
from tests.support.retrain_runs import SETTINGS

FLIGHTS = load("flights")


def requests(champion: Package | None = None, **inputs: str) -> JobRequests:
    given: Any = {"dataset_version": "v1", "dataset_uri": "s3://lake/d/", "code_sha": "sha", **inputs}
    return job_requests(FLIGHTS, SETTINGS, JobInputs(**given, champion=champion))


def test_the_champion_is_scored_on_the_same_test_set_and_only_where_there_is_one() -> None:
    alone = requests()["evaluation"]
    assert [given["InputName"] for given in alone["ProcessingInputs"]] == ["candidate", "test", "manifest"]
    against = requests(package(1, "x"))["evaluation"]
    uris = {given["InputName"]: given["S3Input"]["S3Uri"] for given in against["ProcessingInputs"]}
    assert uris == {
        "candidate": "${model_uri}",
        "test": "s3://lake/d/split=test/",
        "manifest": "s3://artifact/datasets/flights/v1.json",
        "champion": "s3://artifact/1/bundle.tar.gz",
        "champion_manifest": "s3://artifact/datasets/flights/x.json",
    }
    assert against["AppSpecification"]["ContainerArguments"][-2:] == ["--champion-digest", "d1"]


def test_every_value_of_a_request_is_of_the_type_that_aws_takes() -> None:
    made = requests(code_sha="12345e67")
    assert made["training"]["HyperParameters"] == {
        "workload": "flights",
        "code_sha": "12345e67",
        "dataset_version": "v1",
    }
    assert all(isinstance(text, str) for text in made["evaluation"]["AppSpecification"]["ContainerArguments"])


def test_a_name_changes_with_what_decides_the_jobs_result() -> None:
    names = {
        (made["training_name"], made["evaluation_name"])
        for made in (requests(), requests(dataset_version="v2"), requests(code_sha="other"))
    }
    assert len(names) == 3
    with_champion = requests(package(1, "x"))
    assert with_champion["training_name"] == requests()["training_name"]
    assert with_champion["evaluation_name"] != requests()["evaluation_name"]


def test_both_jobs_have_the_size_and_the_time_limit_that_the_workload_declares() -> None:
    default = requests()
    assert default["training"]["ResourceConfig"] == default["evaluation"]["ProcessingResources"]["ClusterConfig"]
    assert default["training"]["ResourceConfig"]["InstanceType"] == SETTINGS.training_instance_type
    assert default["evaluation"]["StoppingCondition"] == default["training"]["StoppingCondition"]
    declared = JobsSpec.model_validate(
        {
            "training": {"instance_type": "ml.m5.4xlarge"},
            "evaluation": {"instance_gb": 90, "max_runtime_seconds": 600},
        }
    )
    made = job_requests(
        FLIGHTS.model_copy(update={"jobs": declared}), SETTINGS, JobInputs("v1", "s3://l/", "sha", None)
    )
    assert made["training"]["ResourceConfig"]["InstanceType"] == "ml.m5.4xlarge"
    assert made["evaluation"]["ProcessingResources"]["ClusterConfig"]["VolumeSizeInGB"] == 90
    assert made["evaluation"]["StoppingCondition"] == {"MaxRuntimeInSeconds": 600}
    assert made["training_name"] == requests()["training_name"], "a job of another size does the same"


def test_a_default_instance_with_a_gpu_that_nothing_uses_is_refused() -> None:
    gpu = SETTINGS.model_copy(update={"training_instance_type": "ml.g5.xlarge"})
    inputs = JobInputs("v1", "s3://l/", "sha", None)
    with pytest.raises(UserError, match=r"NIGHTJAR_TRAINING_INSTANCE_TYPE names: ml.g5.xlarge has a GPU, which hist"):
        job_requests(FLIGHTS, gpu, inputs)
    with pytest.raises(UserError, match="models are evaluated as they are served, on the CPU"):
        job_requests(with_xgboost(), gpu, inputs)


def with_xgboost(instance_type: str | None = None) -> Workload:
    """The workload flights, but with the kind that uses a GPU."""
    jobs = JobsSpec.model_validate({"training": {"instance_type": instance_type}} if instance_type else {})
    kind = {"kind": "xgboost", "hyperparameters": {"max_depth": 4}, "tuning": None}
    return FLIGHTS.model_copy(update={"jobs": jobs, "model": FLIGHTS.model.model_copy(update=kind)})


def test_a_training_instance_with_a_gpu_gets_the_image_for_gpus() -> None:
    configured = SETTINGS.model_copy(update={"training_gpu_image": "training:gpu"})
    inputs = JobInputs("v1", "s3://l/", "sha", None)
    made = job_requests(with_xgboost("ml.g5.xlarge"), configured, inputs)
    assert made["training"]["ResourceConfig"]["InstanceType"] == "ml.g5.xlarge"
    assert made["training"]["AlgorithmSpecification"]["TrainingImage"] == "training:gpu"
    # The candidate is evaluated as it is served.
    assert made["evaluation"]["AppSpecification"]["ImageUri"] == SETTINGS.training_image
    assert made["evaluation"]["ProcessingResources"]["ClusterConfig"]["InstanceType"] == "ml.m5.xlarge"
    on_cpu = job_requests(with_xgboost("ml.m5.2xlarge"), configured, inputs)
    assert on_cpu["training"]["AlgorithmSpecification"]["TrainingImage"] == SETTINGS.training_image
    assert made["training_name"] != on_cpu["training_name"], "a GPU rounds otherwise than a CPU"


def test_a_gpu_without_an_image_for_it_is_refused_with_the_name_of_the_setting() -> None:
    with pytest.raises(UserError, match=r"trained on ml.g5.xlarge, which has a GPU, but NIGHTJAR_TRAINING_GPU_IMAGE"):
        job_requests(with_xgboost("ml.g5.xlarge"), SETTINGS, JobInputs("v1", "s3://l/", "sha", None))


def test_where_the_gpu_is_that_of_the_default_instance_the_refusal_says_what_a_release_needs() -> None:
    default = SETTINGS.model_copy(update={"training_instance_type": "ml.g5.xlarge"})
    with pytest.raises(UserError, match=r"if jobs.training.instance_type of the workload is ml.g5.xlarge\): docs"):
        training_image(with_xgboost(), default)
    with pytest.raises(UserError, match=r"Deploy a release with that image: docs"):
        training_image(with_xgboost("ml.g5.xlarge"), default)


def test_job_names_leave_room_for_a_salt_and_an_attempt() -> None:
    made = requests()
    spare = 20 - len("flights")  # a workload's name has at most 20 characters
    longest = max(len(made["training_name"]), len(made["evaluation_name"])) + spare
    assert longest + len("-f123456") + len("-a99") <= 63


def test_jobs_are_tracked_where_a_server_is_configured() -> None:
    assert "Environment" not in requests()["training"] and "Environment" not in requests()["evaluation"]
    tracked = SETTINGS.model_copy(update={"mlflow_tracking_uri": "http://127.0.0.1:5001"})
    made = job_requests(FLIGHTS, tracked, JobInputs("v1", "s3://lake/d/", "sha", None))
    assert made["training"]["Environment"] == {"MLFLOW_TRACKING_URI": "http://127.0.0.1:5001"}
    assert made["evaluation"]["Environment"] == {
        "MLFLOW_TRACKING_URI": "http://127.0.0.1:5001",
        "TRACKED_MODEL_URI": "${model_uri}",
    }
    assert made["training_name"] == requests()["training_name"], "a job that is tracked does the same"


def test_a_job_on_spare_capacity_has_a_limit_of_its_wait() -> None:
    spot = FLIGHTS.model_copy(update={"jobs": JobsSpec.model_validate({"training": {"spot": True}})})
    made = job_requests(spot, SETTINGS, JobInputs("v1", "s3://l/", "sha", None, trials=2))
    assert made["tuning"] is not None
    for request, seconds in ((made["training"], 1800), (made["tuning"]["TrainingJobDefinition"], 600)):
        assert request["EnableManagedSpotTraining"] is True
        condition = request["StoppingCondition"]
        assert condition["MaxRuntimeInSeconds"] == seconds < condition["MaxWaitTimeInSeconds"] <= seconds + 3600
    assert "EnableManagedSpotTraining" not in requests()["training"]


def test_a_job_on_spare_capacity_has_checkpoints_and_its_trials_have_none() -> None:
    spot = FLIGHTS.model_copy(update={"jobs": JobsSpec.model_validate({"training": {"spot": True}})})
    made = job_requests(spot, SETTINGS, JobInputs("v1", "s3://l/", "sha", None, trials=2))
    uri = "s3://artifact/jobs/flights/train/${submit_key}/checkpoints/"
    assert made["training"]["CheckpointConfig"] == {"S3Uri": uri}
    assert made["tuning"] is not None and "CheckpointConfig" not in made["tuning"]["TrainingJobDefinition"]
    assert made["training_name"] != requests()["training_name"], "a fit in steps gives other bytes"
    assert "CheckpointConfig" not in requests()["training"]
