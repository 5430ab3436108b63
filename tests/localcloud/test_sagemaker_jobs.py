"""Training and processing jobs as processes: what they see of SageMaker's contract, what they leave in S3, how they end."""

from __future__ import annotations

import asyncio
import io
import json
import tarfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.localcloud import ACCOUNT, VENVS, Cloud

pytestmark = pytest.mark.stack

ROLE = f"arn:aws:iam::{ACCOUNT}:role/training"
BUCKET = "sagemaker-test"
TRAIN = """
import json, os, pathlib, signal, sys, time
root = pathlib.Path(os.environ["ML_ROOT"])
hyper = json.loads((root / "input/config/hyperparameters.json").read_text())
behave = hyper.get("behave", "well")
seen = {
    "argv": sys.argv[1:],
    "environment": {k: v for k, v in os.environ.items() if k.startswith(("SM_", "TRAINING_", "OWN", "ML_ROOT"))},
    "hyperparameters": hyper,
    "inputdataconfig": json.loads((root / "input/config/inputdataconfig.json").read_text()),
    "resourceconfig": json.loads((root / "input/config/resourceconfig.json").read_text()),
    "files": sorted(str(p.relative_to(root)) for p in (root / "input/data").rglob("*") if p.is_file()),
    "rows": (root / "input/data/train/a.csv").read_text(),
}
(root / "model/seen.json").write_text(json.dumps(seen))
(root / "output/data/note.txt").write_text("a note")
print("metric:auc=0.5", flush=True)
print("metric:auc=0.75 metric:loss=1e-3", flush=True)
if behave == "fail":
    (root / "output/failure").write_text("the data is bad: " + "x" * 2000)
    sys.exit(4)
if behave == "crash":
    raise ValueError("no such column")
if behave == "hang":
    signal.signal(signal.SIGTERM, lambda *_: ((root / "model/checkpoint").write_text("saved"), sys.exit(0)))
    print("hanging", flush=True)
    time.sleep(60)
"""
PROCESS = """
import os, pathlib, sys, time
root = pathlib.Path(os.environ["ML_ROOT"]) / "processing"
text = (root / "input/test/t.txt").read_text()
if "fail" in sys.argv:
    print("about to fail", flush=True)
    raise RuntimeError("scores are missing")
if "hang" in sys.argv:
    time.sleep(60)
pathlib.Path(sys.argv[1]).joinpath("evaluation.json").write_text(text.upper() + os.environ["GREETING"])
(root / "output/sub").mkdir()
(root / "output/sub/more.txt").write_text("more")
(root.parent / "output/message").write_text("all scored")
"""


@pytest.fixture(scope="module")
def jobs(start_cloud: Callable[..., Cloud], tmp_path_factory: pytest.TempPathFactory) -> Cloud:
    """A server with a training image, and a bucket with data."""
    folder = tmp_path_factory.mktemp("image")
    (folder / "train_job.py").write_text(TRAIN)
    (folder / "process_job.py").write_text(PROCESS)
    python = str(VENVS / "test" / "bin" / "python")
    image = {"python": python, "cwd": str(folder), "env": {"OWN_IMAGE": "yes"}, "command": ["python", "train_job.py"]}
    cloud = start_cloud(images={"train:1": image})
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    for key, body in {
        "data/train/a.csv": "1,2\n",
        "data/train/sub/b.csv": "3,4\n",
        "data/trainings.csv": "other",
        "test/t.txt": "hello",
    }.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    return cloud


def training(
    name: str, *, image: str = "train:1", runtime: int = 60, channel: str = "data/train/", **hyper: str
) -> dict[str, Any]:
    source = {
        "S3DataType": "S3Prefix",
        "S3Uri": f"s3://{BUCKET}/{channel}",
        "S3DataDistributionType": "FullyReplicated",
    }
    return {
        "TrainingJobName": name,
        "RoleArn": ROLE,
        "AlgorithmSpecification": {
            "TrainingImage": image,
            "TrainingInputMode": "File",
            "MetricDefinitions": [
                {"Name": "auc", "Regex": "metric:auc=(\\S+)"},
                {"Name": "loss", "Regex": "metric:loss=(\\S+)"},
            ],
        },
        "InputDataConfig": [
            {"ChannelName": "train", "DataSource": {"S3DataSource": source}, "ContentType": "text/csv"}
        ],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/out/"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        "StoppingCondition": {"MaxRuntimeInSeconds": runtime},
        "Environment": {"OWN": "value"},
        "HyperParameters": hyper,
    }


def processing(name: str, *arguments: str, runtime: int = 60) -> dict[str, Any]:
    inputs = {
        "S3Uri": f"s3://{BUCKET}/test/",
        "LocalPath": "/opt/ml/processing/input/test",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
    }
    output = {
        "S3Uri": f"s3://{BUCKET}/evaluated/{name}",
        "LocalPath": "/opt/ml/processing/output",
        "S3UploadMode": "EndOfJob",
    }
    return {
        "ProcessingJobName": name,
        "RoleArn": ROLE,
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5}
        },
        "AppSpecification": {
            "ImageUri": "train:1",
            "ContainerEntrypoint": ["python", "process_job.py"],
            "ContainerArguments": ["/opt/ml/processing/output", *arguments],
        },
        "Environment": {"GREETING": "!"},
        "ProcessingInputs": [{"InputName": "test", "S3Input": inputs}],
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "evaluation", "S3Output": output}]},
        "StoppingCondition": {"MaxRuntimeInSeconds": runtime},
    }


def ended(cloud: Cloud, name: str, kind: str = "training") -> dict[str, Any]:
    """The description of a job once it is over."""
    sagemaker = cloud.client("sagemaker")
    title = kind.capitalize()
    describe = getattr(sagemaker, f"describe_{kind}_job")

    def over() -> dict[str, Any] | None:
        told = describe(**{f"{title}JobName": name})
        return told if told[f"{title}JobStatus"] not in ("InProgress", "Stopping") else None

    return cloud.wait_until(over)


def archive(cloud: Cloud, uri: str) -> dict[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    body = cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        return {m.name: tar.extractfile(m).read().decode() for m in tar.getmembers() if m.isfile()}


def keys(cloud: Cloud, prefix: str) -> set[str]:
    return {
        item["Key"] for item in cloud.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    }


def test_a_training_job_sees_the_contract_and_leaves_its_model(jobs: Cloud) -> None:
    arn = jobs.client("sagemaker").create_training_job(**training("good", depth="3"))["TrainingJobArn"]
    told = ended(jobs, "good")
    assert told["TrainingJobStatus"] == told["SecondaryStatus"] == "Completed"
    assert told["ModelArtifacts"]["S3ModelArtifacts"] == f"s3://{BUCKET}/out/good/output/model.tar.gz"
    seen = json.loads(archive(jobs, told["ModelArtifacts"]["S3ModelArtifacts"])["seen.json"])
    assert seen["argv"] == ["train"]
    assert seen["hyperparameters"] == {"depth": "3"}
    assert seen["files"] == ["input/data/train/a.csv", "input/data/train/sub/b.csv"] and seen["rows"] == "1,2\n"
    assert seen["inputdataconfig"]["train"]["ContentType"] == "text/csv"
    assert seen["resourceconfig"]["hosts"] == ["algo-1"]
    root = seen["environment"].pop("ML_ROOT")
    assert seen["environment"] == {
        "TRAINING_JOB_NAME": "good",
        "TRAINING_JOB_ARN": arn,
        "OWN": "value",
        "OWN_IMAGE": "yes",
    }
    assert str(jobs.state) in root
    assert archive(jobs, f"s3://{BUCKET}/out/good/output/output.tar.gz") == {"note.txt": "a note"}
    assert {m["MetricName"]: round(m["Value"], 6) for m in told["FinalMetricDataList"]} == {"auc": 0.75, "loss": 0.001}
    assert [t["Status"] for t in told["SecondaryStatusTransitions"]] == [
        "Starting",
        "Downloading",
        "Training",
        "Uploading",
        "Completed",
    ]
    assert told["Environment"] == {"OWN": "value"} and told["BillableTimeInSeconds"] >= 1
    logs = jobs.client("logs")
    stream = logs.describe_log_streams(logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix="good/algo-1-")[
        "logStreams"
    ][0]
    lines = logs.get_log_events(logGroupName="/aws/sagemaker/TrainingJobs", logStreamName=stream["logStreamName"])[
        "events"
    ]
    assert lines[0]["message"] == "metric:auc=0.5"


def test_transfers_are_made_as_the_jobs_role(jobs: Cloud) -> None:
    asked = {
        (line["role"].split("/")[-1], line["action"])
        for line in jobs.requests()
        if line["service"] == "s3" and line["role"] != "operator"
    }
    assert {("training", "ListObjectsV2"), ("training", "GetObject"), ("training", "PutObject")} <= asked


def test_a_name_is_used_once(jobs: Cloud) -> None:
    with pytest.raises(ClientError) as raised:
        jobs.client("sagemaker").create_training_job(**training("good"))
    assert raised.value.response["Error"]["Code"] == "ResourceInUse"


@pytest.mark.parametrize(
    ("behave", "parts"),
    [
        ("fail", ["AlgorithmError: the data is bad: xxx", "exit code: 4"]),
        ("crash", ["ValueError: no such column", "exit code: 1"]),
    ],
)
def test_a_failure_says_why(jobs: Cloud, behave: str, parts: list[str]) -> None:
    jobs.client("sagemaker").create_training_job(**training(f"job-{behave}", behave=behave))
    told = ended(jobs, f"job-{behave}")
    assert told["TrainingJobStatus"] == told["SecondaryStatus"] == "Failed"
    assert all(part in told["FailureReason"] for part in parts) and len(told["FailureReason"]) <= 1024
    assert keys(jobs, f"out/job-{behave}/") == {f"out/job-{behave}/output/output.tar.gz"}, "no model of a failed job"


@pytest.mark.parametrize(
    ("name", "changes", "part"),
    [
        ("no-image", {"image": "unknown:9"}, "unknown:9"),
        ("no-data", {"channel": "nothing/here/"}, f'No S3 objects found under S3 URL "s3://{BUCKET}/nothing/here/"'),
    ],
)
def test_what_cannot_start_fails(jobs: Cloud, name: str, changes: dict[str, str], part: str) -> None:
    jobs.client("sagemaker").create_training_job(**training(name, **changes))
    told = ended(jobs, name)
    assert told["TrainingJobStatus"] == "Failed" and part in told["FailureReason"]


def test_a_prefix_without_a_slash_is_a_prefix(jobs: Cloud) -> None:
    jobs.client("sagemaker").create_training_job(**training("prefix", channel="data/train"))
    told = ended(jobs, "prefix")
    seen = json.loads(archive(jobs, told["ModelArtifacts"]["S3ModelArtifacts"])["seen.json"])
    assert seen["files"] == ["input/data/train/a.csv", "input/data/train/sub/b.csv", "input/data/train/trainings.csv"]


def hanging(cloud: Cloud, name: str) -> None:
    def says() -> bool:
        streams = cloud.client("logs").describe_log_streams(
            logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=name
        )["logStreams"]
        return any(
            "hanging" in path.read_text()
            for s in streams
            for path in cloud.state.glob(f"logs/aws/sagemaker/TrainingJobs/{s['logStreamName']}")
        )

    cloud.wait_until(says)


def test_stop_lets_the_process_save_its_model(jobs: Cloud) -> None:
    sagemaker = jobs.client("sagemaker")
    sagemaker.create_training_job(**training("stopped", behave="hang"))
    hanging(jobs, "stopped")
    assert [
        j["TrainingJobName"]
        for j in sagemaker.list_training_jobs(NameContains="stop", StatusEquals="InProgress")["TrainingJobSummaries"]
    ] == ["stopped"]
    sagemaker.stop_training_job(TrainingJobName="stopped")
    told = ended(jobs, "stopped")
    assert told["TrainingJobStatus"] == told["SecondaryStatus"] == "Stopped"
    assert archive(jobs, told["ModelArtifacts"]["S3ModelArtifacts"])["checkpoint"] == "saved"
    with pytest.raises(ClientError, match="Stopped"):
        sagemaker.stop_training_job(TrainingJobName="stopped")


def test_the_time_limit_ends_a_job(jobs: Cloud) -> None:
    jobs.client("sagemaker").create_training_job(**training("late", runtime=1, behave="hang"))
    told = ended(jobs, "late")
    assert (told["TrainingJobStatus"], told["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_a_processing_job_reads_and_writes_s3(jobs: Cloud) -> None:
    jobs.client("sagemaker").create_processing_job(**processing("scores"))
    told = ended(jobs, "scores", "processing")
    assert told["ProcessingJobStatus"] == "Completed" and told["ExitMessage"] == "all scored"
    assert keys(jobs, "evaluated/scores/") == {"evaluated/scores/evaluation.json", "evaluated/scores/sub/more.txt"}
    body = jobs.client("s3").get_object(Bucket=BUCKET, Key="evaluated/scores/evaluation.json")["Body"].read()
    assert body == b"HELLO!"
    assert told["ProcessingResources"]["ClusterConfig"]["InstanceType"] == "ml.m5.large"


def test_a_processing_job_fails_and_leaves_nothing(jobs: Cloud) -> None:
    jobs.client("sagemaker").create_processing_job(**processing("broken", "fail"))
    told = ended(jobs, "broken", "processing")
    assert told["ProcessingJobStatus"] == "Failed" and "RuntimeError: scores are missing" in told["FailureReason"]
    assert keys(jobs, "evaluated/broken/") == set()


def test_a_processing_job_is_stopped_by_hand_and_by_its_limit(jobs: Cloud) -> None:
    sagemaker = jobs.client("sagemaker")
    sagemaker.create_processing_job(**processing("by-hand", "hang"))
    sagemaker.create_processing_job(**processing("by-limit", "hang", runtime=1))
    time.sleep(0.5)
    sagemaker.stop_processing_job(ProcessingJobName="by-hand")
    assert ended(jobs, "by-hand", "processing")["ProcessingJobStatus"] == "Stopped"
    told = ended(jobs, "by-limit", "processing")
    assert told["ProcessingJobStatus"] == "Stopped" and "MaxRuntimeInSeconds" in told["FailureReason"]
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


def test_what_would_not_be_done_is_refused(jobs: Cloud) -> None:
    sagemaker = jobs.client("sagemaker")
    two = training("two")
    two["ResourceConfig"]["InstanceCount"] = 2
    with pytest.raises(ClientError, match="more than one instance"):
        sagemaker.create_training_job(**two)
    with pytest.raises(ClientError, match="not found"):
        sagemaker.describe_training_job(TrainingJobName="two")
    with pytest.raises(ClientError, match="nothing here would execute it"):
        sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="c")
    elsewhere = processing("elsewhere")
    elsewhere["ProcessingInputs"][0]["S3Input"]["LocalPath"] = "/etc"
    with pytest.raises(ClientError, match="/opt/ml/processing"):
        sagemaker.create_processing_job(**elsewhere)


# --- through the Amazon provider ---


@pytest.fixture
def provider(jobs: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The provider's SageMaker operators, pointed at the server by environment variables only."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    for name, value in jobs.environment().items():
        monkeypatch.setenv(name, value)
    from airflow.providers.amazon.aws.operators import sagemaker

    return sagemaker


def test_the_training_operator_waits_and_shows_the_log(jobs: Cloud, provider: Any) -> None:
    operator = provider.SageMakerTrainingOperator(
        task_id="train", config=training("by-operator"), check_interval=1, print_log=False, aws_conn_id=None
    )
    told = operator.execute({})["Training"]
    assert told["TrainingJobStatus"] == "Completed"
    assert "seen.json" in archive(jobs, f"s3://{BUCKET}/out/by-operator/output/model.tar.gz")


def test_the_training_operator_fails_with_the_job(provider: Any) -> None:
    operator = provider.SageMakerTrainingOperator(
        task_id="train",
        config=training("by-operator-bad", behave="fail"),
        check_interval=1,
        print_log=False,
        aws_conn_id=None,
    )
    with pytest.raises(Exception, match="the data is bad"):
        operator.execute({})


@pytest.mark.parametrize(("argument", "status"), [("ok", "success"), ("fail", "error")])
def test_the_deferred_processing_operator_and_its_trigger(
    jobs: Cloud, provider: Any, argument: str, status: str
) -> None:
    pytest.importorskip("aiobotocore", reason="the provider's triggers need aiobotocore in the test environment")
    from airflow.sdk.exceptions import TaskDeferred

    name = f"deferred-{argument}"
    operator = provider.SageMakerProcessingOperator(
        task_id="evaluate",
        config=processing(name, argument),
        deferrable=True,
        check_interval=1,
        print_log=False,
        aws_conn_id=None,
    )

    async def first_event(trigger: Any) -> Any:
        async for event in trigger.run():
            return event

    with pytest.raises(TaskDeferred) as deferred:
        operator.execute({})
    assert asyncio.run(first_event(deferred.value.trigger)).payload["status"] == status
    assert bool(keys(jobs, f"evaluated/{name}/")) == (status == "success")
