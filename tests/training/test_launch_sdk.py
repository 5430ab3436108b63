"""Training by hand with the real SageMaker SDK and the real container, on a local cloud.

Skipped where the SDK is not installed: ``make setup-sdk`` does so. ``make soak`` installs it first.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from include.lake import layout
from include.lake.uris import split_s3_uri
from tests.support.localcloud import ACCOUNT, ROOT, VENVS, Cloud, base_config, running_cloud
from tests.support.training_inputs import make_flights

SDK = VENVS / "sdk" / "bin" / "python"
pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(not SDK.exists(), reason="the SageMaker SDK is not installed: make setup-sdk"),
]


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    """A local cloud with the training image and a published data set."""
    image = {
        "python": str(VENVS / "training" / "bin" / "python"),
        "cwd": str(ROOT),
        "command": ["python", "-m", "include.training.train"],
        "env": {"OMP_NUM_THREADS": "1"},
    }
    with running_cloud(tmp_path, {**base_config(), "images": {"training:1": image}}) as running:
        manifest = make_flights(tmp_path / "ml")
        s3 = running.client("s3")
        for bucket in ("lake", "artifact"):
            s3.create_bucket(Bucket=bucket)
        for split in ("train", "validation"):
            body = (tmp_path / "ml" / "input/data" / split / "part-0").read_bytes()
            s3.put_object(Bucket="lake", Key=f"d/{layout.split_folder(split)}part-0", Body=body)
        key = layout.dataset_manifest_key("flights", manifest["version"])
        s3.put_object(Bucket="artifact", Key=key, Body=json.dumps({**manifest, "location": "s3://lake/d/"}))
        yield running


def run(cloud: Cloud, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        **cloud.environment(),
        "NIGHTJAR_ARTIFACT_BUCKET": "artifact",
        "NIGHTJAR_TRAINING_IMAGE": "training:1",
        "NIGHTJAR_TRAINING_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/training",
    }
    command = [str(SDK), "-m", "include.training.launch", "--workload", "flights", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240
    )


def trained_with(cloud: Cloud, uri: str) -> dict[str, Any]:
    """The hyperparameters in the manifest of a model."""
    bucket, key = split_s3_uri(uri)
    body = cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as packed:
        (member,) = [member for member in packed.getmembers() if member.name.endswith("manifest.json")]
        file = packed.extractfile(member)
        assert file is not None
        found: dict[str, Any] = json.loads(file.read())["model"]["hyperparameters"]
    return found


def test_the_container_is_trained_with_the_given_hyperparameters_and_nothing_is_registered(cloud: Cloud) -> None:
    done = run(cloud, "--set", "learning_rate=0.2 max_iter=30")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"validation auc: 0\.[789]", done.stdout), done.stdout
    sagemaker: Any = cloud.client("sagemaker")
    (job,) = sagemaker.list_training_jobs()["TrainingJobSummaries"]
    described = sagemaker.describe_training_job(TrainingJobName=job["TrainingJobName"])
    uri = described["ModelArtifacts"]["S3ModelArtifacts"]
    assert uri.startswith("s3://artifact/jobs/flights/launch/") and uri in done.stdout
    assert trained_with(cloud, uri)["max_iter"] == 30
    assert sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"] == []


def test_a_job_that_fails_says_why(cloud: Cloud) -> None:
    cloud.client("s3").delete_object(Bucket="lake", Key=f"d/{layout.split_folder('train')}part-0")
    done = run(cloud)
    assert done.returncode == 1 and "No S3 objects found" in done.stderr, done.stdout + done.stderr
