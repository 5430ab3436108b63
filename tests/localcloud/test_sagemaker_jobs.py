"""Training and processing jobs as processes: SageMaker's container contract, results in S3, and how jobs end."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from infra.localcloud import mounts
from tests.support.localcloud import Cloud
from tests.support.sagemaker_jobs import BUCKET, archive, ended_job, jobs, keys, processing, start_job_cloud, training

__all__ = ["jobs"]

pytestmark = pytest.mark.stack


def test_a_training_job_gets_its_contract_and_uploads_its_model(jobs: Cloud) -> None:
    arn = jobs.client("sagemaker").create_training_job(**training("good", depth="3"))["TrainingJobArn"]
    job = ended_job(jobs, "good")
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Completed"
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == f"s3://{BUCKET}/out/good/output/model.tar.gz"
    seen = json.loads(archive(jobs, job["ModelArtifacts"]["S3ModelArtifacts"])["seen.json"])
    assert seen["argv"] == ["train"]
    assert seen["hyperparameters"] == {"depth": "3"}
    assert seen["files"] == ["input/data/train/a.csv", "input/data/train/sub/b.csv"] and seen["rows"] == "1,2\n"
    assert seen["inputdataconfig"]["train"]["ContentType"] == "text/csv"
    assert seen["resourceconfig"]["hosts"] == ["algo-1"]
    assert seen["environment"] == {
        "TRAINING_JOB_NAME": "good",
        "TRAINING_JOB_ARN": arn,
        "OWN": "value",
        "OWN_IMAGE": "yes",
    }
    assert archive(jobs, f"s3://{BUCKET}/out/good/output/output.tar.gz") == {"note.txt": "a note"}
    assert {m["MetricName"]: round(m["Value"], 6) for m in job["FinalMetricDataList"]} == {"auc": 0.75, "loss": 0.001}
    assert [t["Status"] for t in job["SecondaryStatusTransitions"]] == [
        "Starting",
        "Downloading",
        "Training",
        "Uploading",
        "Completed",
    ]
    assert job["Environment"] == {"OWN": "value"} and job["BillableTimeInSeconds"] >= 1
    logs = jobs.client("logs")
    stream = logs.describe_log_streams(logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix="good/algo-1-")[
        "logStreams"
    ][0]
    lines = logs.get_log_events(logGroupName="/aws/sagemaker/TrainingJobs", logStreamName=stream["logStreamName"])[
        "events"
    ]
    assert lines[0]["message"] == "metric:auc=0.5"


def test_transfers_use_the_jobs_role(jobs: Cloud) -> None:
    jobs.client("sagemaker").create_training_job(**training("transfers"))
    ended_job(jobs, "transfers")
    requests = {
        (line["role"].split("/")[-1], line["action"])
        for line in jobs.requests()
        if line["service"] == "s3" and line["role"] != "operator"
    }
    assert {("training", "ListObjectsV2"), ("training", "GetObject"), ("training", "PutObject")} <= requests


def test_a_name_cannot_be_used_twice(jobs: Cloud) -> None:
    jobs.client("sagemaker").create_training_job(**training("twice"))
    with pytest.raises(ClientError) as raised:
        jobs.client("sagemaker").create_training_job(**training("twice"))
    assert raised.value.response["Error"]["Code"] == "ResourceInUse"


@pytest.mark.parametrize(
    ("behave", "parts"),
    [
        ("fail", ["AlgorithmError: the data is bad: xxx", "exit code: 4"]),
        ("crash", ["ValueError: no such column", "exit code: 1"]),
    ],
)
def test_a_failed_job_has_a_reason(jobs: Cloud, behave: str, parts: list[str]) -> None:
    jobs.client("sagemaker").create_training_job(**training(f"job-{behave}", behave=behave))
    job = ended_job(jobs, f"job-{behave}")
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Failed"
    assert all(part in job["FailureReason"] for part in parts) and len(job["FailureReason"]) <= 1024
    assert keys(jobs, f"out/job-{behave}/") == {f"out/job-{behave}/output/output.tar.gz"}, "no model of a failed job"


@pytest.mark.parametrize(
    ("name", "changes", "part"),
    [
        ("no-image", {"image": "unknown:9"}, "unknown:9"),
        ("no-data", {"channel": "nothing/here/"}, f'No S3 objects found under S3 URL "s3://{BUCKET}/nothing/here/"'),
    ],
)
def test_a_job_that_cannot_start_fails(jobs: Cloud, name: str, changes: dict[str, Any], part: str) -> None:
    jobs.client("sagemaker").create_training_job(**training(name, **changes))
    job = ended_job(jobs, name)
    assert job["TrainingJobStatus"] == "Failed" and part in job["FailureReason"]


def test_a_prefix_without_a_slash_matches_siblings(jobs: Cloud) -> None:
    jobs.client("sagemaker").create_training_job(**training("prefix", channel="data/train"))
    job = ended_job(jobs, "prefix")
    seen = json.loads(archive(jobs, job["ModelArtifacts"]["S3ModelArtifacts"])["seen.json"])
    assert seen["files"] == ["input/data/train/a.csv", "input/data/train/sub/b.csv", "input/data/train/trainings.csv"]


def wait_until_hanging(cloud: Cloud, name: str) -> None:
    def has_printed() -> bool:
        streams = cloud.client("logs").describe_log_streams(
            logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=name
        )["logStreams"]
        return any(
            "hanging" in path.read_text()
            for s in streams
            for path in cloud.state.glob(f"logs/aws/sagemaker/TrainingJobs/{s['logStreamName']}")
        )

    cloud.wait_until(has_printed)


def test_stop_lets_the_process_save_its_model(jobs: Cloud) -> None:
    sagemaker = jobs.client("sagemaker")
    sagemaker.create_training_job(**training("stopped", behave="hang"))
    wait_until_hanging(jobs, "stopped")
    assert [
        j["TrainingJobName"]
        for j in sagemaker.list_training_jobs(NameContains="stop", StatusEquals="InProgress")["TrainingJobSummaries"]
    ] == ["stopped"]
    sagemaker.stop_training_job(TrainingJobName="stopped")
    job = ended_job(jobs, "stopped")
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Stopped"
    assert archive(jobs, job["ModelArtifacts"]["S3ModelArtifacts"])["checkpoint"] == "saved"
    with pytest.raises(ClientError, match="Stopped"):
        sagemaker.stop_training_job(TrainingJobName="stopped")


def test_the_time_limit_ends_a_job(jobs: Cloud) -> None:
    jobs.client("sagemaker").create_training_job(**training("late", runtime=1, behave="hang"))
    job = ended_job(jobs, "late")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_a_processing_job_reads_and_writes_s3(jobs: Cloud) -> None:
    jobs.client("sagemaker").create_processing_job(**processing("scores"))
    job = ended_job(jobs, "scores", "processing")
    assert job["ProcessingJobStatus"] == "Completed" and job["ExitMessage"] == "all scored"
    assert keys(jobs, "evaluated/scores/") == {"evaluated/scores/evaluation.json", "evaluated/scores/sub/more.txt"}
    body = jobs.client("s3").get_object(Bucket=BUCKET, Key="evaluated/scores/evaluation.json")["Body"].read()
    assert body == b"HELLO!"
    assert job["ProcessingResources"]["ClusterConfig"]["InstanceType"] == "ml.m5.large"


def test_a_failed_processing_job_uploads_nothing(jobs: Cloud) -> None:
    jobs.client("sagemaker").create_processing_job(**processing("broken", "fail"))
    job = ended_job(jobs, "broken", "processing")
    assert job["ProcessingJobStatus"] == "Failed" and "RuntimeError: scores are missing" in job["FailureReason"]
    assert keys(jobs, "evaluated/broken/") == set()


def test_a_processing_job_is_stopped_by_hand_and_by_its_limit(jobs: Cloud) -> None:
    sagemaker = jobs.client("sagemaker")
    sagemaker.create_processing_job(**processing("by-hand", "hang"))
    sagemaker.create_processing_job(**processing("by-limit", "hang", runtime=1))
    time.sleep(0.5)
    sagemaker.stop_processing_job(ProcessingJobName="by-hand")
    assert ended_job(jobs, "by-hand", "processing")["ProcessingJobStatus"] == "Stopped"
    job = ended_job(jobs, "by-limit", "processing")
    assert job["ProcessingJobStatus"] == "Stopped" and "MaxRuntimeInSeconds" in job["FailureReason"]
    names = [
        j["ProcessingJobName"]
        for j in sagemaker.list_processing_jobs(NameContains="by-", SortBy="Name")["ProcessingJobSummaries"]
    ]
    assert names == ["by-hand", "by-limit"]
    yesterday = datetime.now(UTC) - timedelta(days=1)
    assert (
        len(sagemaker.list_processing_jobs(NameContains="by-", CreationTimeAfter=yesterday)["ProcessingJobSummaries"])
        == 2
    )
    assert (
        sagemaker.list_processing_jobs(NameContains="by-", CreationTimeBefore=yesterday)["ProcessingJobSummaries"] == []
    )


def test_unsupported_settings_are_refused(jobs: Cloud) -> None:
    sagemaker = jobs.client("sagemaker")
    two = training("two")
    two["ResourceConfig"]["InstanceCount"] = 2
    with pytest.raises(ClientError, match="more than one instance"):
        sagemaker.create_training_job(**two)
    with pytest.raises(ClientError, match="not found"):
        sagemaker.describe_training_job(TrainingJobName="two")
    with pytest.raises(ClientError, match="no endpoint runs"):
        sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="c")
    elsewhere = processing("elsewhere")
    elsewhere["ProcessingInputs"][0]["S3Input"]["LocalPath"] = "/etc"
    with pytest.raises(ClientError, match="/opt/ml/processing"):
        sagemaker.create_processing_job(**elsewhere)


# --- /opt/ml -------------------------------------------------------------------------------------------------------

# As scripts for SageMaker are written: with absolute paths, and without ML_ROOT.
ABSOLUTE = """
import os, pathlib, sys
assert "ML_ROOT" not in os.environ
if pathlib.Path("/opt/ml/processing").exists():
    text = pathlib.Path("/opt/ml/processing/input/test/t.txt").read_text()
    pathlib.Path("/opt/ml/processing/output/found.txt").write_text(text + " " + sys.argv[1])
    sys.exit(0)
if "fail" in pathlib.Path("/opt/ml/input/config/hyperparameters.json").read_text():
    pathlib.Path("/opt/ml/output/failure").write_text("the label is missing")
    sys.exit(3)
pathlib.Path("/opt/ml/model/model.txt").write_text(pathlib.Path("/opt/ml/input/data/train/a.csv").read_text())
"""


@pytest.fixture(scope="module")
def absolute(jobs: Cloud, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The entry point of a container with that script."""
    script = tmp_path_factory.mktemp("absolute") / "script.py"
    script.write_text(ABSOLUTE)
    return ["python", str(script)]


@pytest.mark.skipif(mounts.refusal() is not None, reason=f"no mounts on this machine: {mounts.refusal()}")
def test_a_container_sees_its_files_at_opt_ml(jobs: Cloud, absolute: list[str]) -> None:
    sagemaker = jobs.client("sagemaker")
    request, failing = training("absolute"), training("absolute-failing", behave="fail")
    for each in (request, failing):
        each["AlgorithmSpecification"]["ContainerEntrypoint"] = absolute
        sagemaker.create_training_job(**each)
    made = archive(jobs, ended_job(jobs, "absolute")["ModelArtifacts"]["S3ModelArtifacts"])
    assert made == {"model.txt": "1,2\n"}
    failed = ended_job(jobs, "absolute-failing")
    assert failed["FailureReason"] == "AlgorithmError: the label is missing, exit code: 3"

    scoring = processing("absolute-processing")
    scoring["AppSpecification"]["ContainerEntrypoint"] = absolute
    scoring["AppSpecification"]["ContainerArguments"] = ["/opt/ml/processing/output"]
    sagemaker.create_processing_job(**scoring)
    assert ended_job(jobs, "absolute-processing", "processing")["ProcessingJobStatus"] == "Completed"
    body = jobs.client("s3").get_object(Bucket=BUCKET, Key="evaluated/absolute-processing/found.txt")["Body"]
    assert body.read() == b"hello /opt/ml/processing/output"


def test_without_mounts_ml_root_names_the_folder(
    start_cloud: Callable[..., Cloud], tmp_path_factory: pytest.TempPathFactory
) -> None:
    cloud = start_job_cloud(start_cloud, tmp_path_factory.mktemp("image"), mounts=False)
    health = httpx.get(f"{cloud.endpoint}/_nightjar/health", timeout=60).json()
    assert health["opt_ml"].startswith("the variable ML_ROOT")
    cloud.client("sagemaker").create_training_job(**training("setting"))
    seen = json.loads(archive(cloud, ended_job(cloud, "setting")["ModelArtifacts"]["S3ModelArtifacts"])["seen.json"])
    assert str(cloud.state) in seen["environment"]["ML_ROOT"]
    cloud.client("sagemaker").create_processing_job(**processing("setting-processing"))
    assert ended_job(cloud, "setting-processing", "processing")["ProcessingJobStatus"] == "Completed"


def test_a_job_on_spare_capacity_runs_and_needs_a_limit_of_its_wait(jobs: Cloud) -> None:
    request = {**training("spot"), "EnableManagedSpotTraining": True}
    with pytest.raises(ClientError, match="MaxWaitTimeInSeconds"):
        jobs.client("sagemaker").create_training_job(**request)
    request["StoppingCondition"] = {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 120}
    jobs.client("sagemaker").create_training_job(**request)
    job = ended_job(jobs, "spot")
    assert (job["TrainingJobStatus"], job["EnableManagedSpotTraining"]) == ("Completed", True)


def test_a_job_on_an_instance_with_a_gpu_runs_on_the_cpu_and_says_so(jobs: Cloud) -> None:
    request = training("gpu")
    request["ResourceConfig"] = {**request["ResourceConfig"], "InstanceType": "ml.g5.xlarge"}
    jobs.client("sagemaker").create_training_job(**request)
    job = ended_job(jobs, "gpu")
    (message,) = [one["StatusMessage"] for one in job["SecondaryStatusTransitions"] if one["Status"] == "Training"]
    assert message.endswith("The local cloud has no GPU: ml.g5.xlarge runs on the CPU.")


def on_spare_capacity(name: str, interruptions: str) -> dict[str, Any]:
    return {
        **training(name, behave="step"),
        "EnableManagedSpotTraining": True,
        "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 120},
        "CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/checkpoints/{name}"},
        "Tags": [{"Key": "localcloud:interruptions", "Value": interruptions}],
    }


def test_an_interrupted_job_goes_on_from_its_checkpoint(jobs: Cloud) -> None:
    jobs.client("sagemaker").create_training_job(**on_spare_capacity("interrupted", "2"))
    job = ended_job(jobs, "interrupted")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    statuses = [one["Status"] for one in job["SecondaryStatusTransitions"]]
    run = ["Starting", "Downloading", "Training"]
    assert statuses == [*run, "Interrupted", *run, "Interrupted", *run, "Uploading", "Completed"]
    assert archive(jobs, job["ModelArtifacts"]["S3ModelArtifacts"])["steps"] == "xxx", "a step a run, none done again"
    assert job["CheckpointConfig"] == {"S3Uri": f"s3://{BUCKET}/checkpoints/interrupted"}
    assert keys(jobs, "checkpoints/interrupted/") == {"checkpoints/interrupted/steps"}


def test_an_interruption_needs_spare_capacity_and_checkpoints(jobs: Cloud) -> None:
    plain = {**training("plain"), "Tags": on_spare_capacity("x", "1")["Tags"]}
    for request in (plain, on_spare_capacity("word", "often")):
        with pytest.raises(ClientError, match="localcloud:interruptions"):
            jobs.client("sagemaker").create_training_job(**request)
    outside = on_spare_capacity("outside", "0")
    outside["CheckpointConfig"]["LocalPath"] = "/etc"
    with pytest.raises(ClientError, match="no support for checkpoints outside /opt/ml"):
        jobs.client("sagemaker").create_training_job(**outside)
