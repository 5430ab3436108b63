"""A local cloud with a training image, and requests for SageMaker jobs that use it."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.localcloud.s3_uris import split_s3_uri
from tests.support.localcloud import ACCOUNT, VENVS, Cloud

ROLE = f"arn:aws:iam::{ACCOUNT}:role/training"
BUCKET = "sagemaker-test"
TRAIN = """
import json, os, pathlib, signal, sys, time
root = pathlib.Path(os.environ.get("ML_ROOT", "/opt/ml"))
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
if behave == "step":
    file, new = root / "checkpoints/steps", root / "output/steps"
    steps = (file.read_text() if file.exists() else "") + "x"
    new.write_text(steps)
    new.rename(file)
    if len(steps) < 3:
        time.sleep(60)
    (root / "model/steps").write_text(steps)
if behave == "hang":
    signal.signal(signal.SIGTERM, lambda *_: ((root / "model/checkpoint").write_text("saved"), sys.exit(0)))
    print("hanging", flush=True)
    time.sleep(60)
"""
PROCESS = """
import os, pathlib, sys, time
root = pathlib.Path(os.environ.get("ML_ROOT", "/opt/ml")) / "processing"
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


def start_job_cloud(start_cloud: Callable[..., Cloud], folder: Path, **settings: Any) -> Cloud:
    """A server with the image ``train:1``, whose scripts are written to ``folder``, and a bucket with data."""
    (folder / "train_job.py").write_text(TRAIN)
    (folder / "process_job.py").write_text(PROCESS)
    python = str(VENVS / "test" / "bin" / "python")
    image = {"python": python, "cwd": str(folder), "env": {"OWN_IMAGE": "yes"}, "command": ["python", "train_job.py"]}
    cloud = start_cloud(images={"train:1": image}, **settings)
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


@pytest.fixture(scope="module")
def jobs(start_cloud: Callable[..., Cloud], tmp_path_factory: pytest.TempPathFactory) -> Cloud:
    """A server of a test module's own, with the image."""
    return start_job_cloud(start_cloud, tmp_path_factory.mktemp("image"))


def training(
    name: str, *, image: str = "train:1", runtime: int = 60, channel: str = "data/train/", **hyper: str
) -> dict[str, Any]:
    """A CreateTrainingJob request. The hyperparameter ``behave`` is well (the default), fail, crash, step or hang."""
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
    """A CreateProcessingJob request. An argument ``fail`` or ``hang`` makes the script do so."""
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


def ended_job(cloud: Cloud, name: str, kind: str = "training") -> dict[str, Any]:
    """The description of a job once it is over."""
    sagemaker = cloud.client("sagemaker")
    title = kind.capitalize()
    describe = getattr(sagemaker, f"describe_{kind}_job")

    def over() -> dict[str, Any] | None:
        job = describe(**{f"{title}JobName": name})
        return job if job[f"{title}JobStatus"] not in ("InProgress", "Stopping") else None

    return cloud.wait_until(over)


def archive(cloud: Cloud, uri: str) -> dict[str, str]:
    """The files of a tar archive in S3."""
    bucket, key = split_s3_uri(uri)
    body = cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        files = {member.name: tar.extractfile(member) for member in tar.getmembers()}
        return {name: file.read().decode() for name, file in files.items() if file}


def keys(cloud: Cloud, prefix: str) -> set[str]:
    """The keys of the bucket below ``prefix``."""
    return {
        item["Key"] for item in cloud.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    }
