"""Train a workload's model by hand: ``python -m include.training.launch --workload NAME [--set name=value …]``.

Runs the training container of the retrain runs on a data set that they have published, through the SageMaker SDK
(requirements/sdk.txt), on the local cloud or on AWS, whichever boto3 is configured for. The model is stored below
``jobs/<workload>/launch/`` of the artifact bucket. Nothing is registered, so nothing that it makes is ever deployed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from include.errors import NightjarError, UserError
from include.lake import layout
from include.lake.manifest import DatasetManifest
from include.training import datasets
from include.training.hyperparameters import checked, parse
from include.workloads import Workload, load
from include.workloads.instances import has_gpu, training_problem
from include.workloads.tuning import hyperparameter_texts

METRICS = ("auc", "log_loss", "brier")
# The SDK reports its use to a host of AWS, unless its configuration says otherwise.
_SDK_CONFIGURATION = "SchemaVersion: '1.0'\nSageMaker:\n  PythonSDK:\n    Modules:\n      TelemetryOptOut: true\n"


@dataclass(frozen=True)
class Place:
    """Where a job runs and what it runs. The defaults are the DAGs' settings.

    Attributes:
        bucket: The artifact bucket.
        image: The training image.
        role: ARN of the job's role.
        instance_type: Type of the job's instance.
        region: AWS region.
    """

    bucket: str
    image: str
    role: str
    instance_type: str
    region: str


@dataclass(frozen=True)
class Launched:
    """A job that has ended well.

    Attributes:
        job_name: Its name.
        model_uri: Where its model is.
        metrics: Its metrics on the validation split.
    """

    job_name: str
    model_uri: str
    metrics: dict[str, float]


def main(arguments: Sequence[str] | None = None) -> int:
    """Launches one job, waits for it, and prints its metrics; returns the exit code."""
    given = _options(arguments)
    try:
        workload = load(given.workload)
        values = checked(workload.model.kind, parse(_assignments(given.set)))
        if problem := training_problem(given.instance_type, workload.model.kind):
            raise UserError(f"{problem}.")
        image = given.gpu_image if has_gpu(given.instance_type) else given.image
        if not image:
            raise UserError(
                f"{given.instance_type} has a GPU. Name the training image for GPUs with --gpu-image or "
                "NIGHTJAR_TRAINING_GPU_IMAGE, or choose an instance type without a GPU, like ml.m5.xlarge."
            )
        place = Place(given.artifact_bucket, image, given.role, given.instance_type, given.region)
        launched = launch(workload, given.dataset, values, place)
    except NightjarError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    lines = [f"validation {name}: {value:.6f}" for name, value in sorted(launched.metrics.items())]
    sys.stdout.write("\n".join([f"{launched.job_name} has ended.", *lines, f"Its model: {launched.model_uri}", ""]))
    return 0


def launch(workload: Workload, dataset: str, values: Mapping[str, Any], place: Place) -> Launched:
    """Trains a model, and returns when the job has ended.

    Args:
        workload: The workload.
        dataset: Version of the data set, the first digits of one, or ``newest``.
        values: Hyperparameters that differ from the workload's.
        place: Where the job runs.

    Raises:
        UserError: There is no such data set, or the job failed.
    """
    import boto3

    session = boto3.Session(region_name=place.region)
    manifest = datasets.find(session.client("s3"), place.bucket, workload.name, dataset)
    sys.stdout.write(f"Training {workload.name} on data set {manifest['version']}, cut-off {manifest['cutoff']}.\n")
    name = _train(session, workload, manifest, values, place)
    described: Any = session.client("sagemaker").describe_training_job(TrainingJobName=name)
    if described["TrainingJobStatus"] != "Completed":
        raise UserError(f"{name} ended {described['TrainingJobStatus']}: {described.get('FailureReason', 'no reason')}")
    metrics = {metric["MetricName"]: float(metric["Value"]) for metric in described.get("FinalMetricDataList", [])}
    return Launched(name, described["ModelArtifacts"]["S3ModelArtifacts"], metrics)


def _train(session: Any, workload: Workload, manifest: DatasetManifest, values: Mapping[str, Any], place: Place) -> str:
    """Runs the job by the SageMaker SDK; returns its name. A job that fails is no error here."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "config.yaml"
        file.write_text(_SDK_CONFIGURATION)
        os.environ["SAGEMAKER_USER_CONFIG_OVERRIDE"] = str(file)
        # The SDK would ask IAM whether the role suits: a person's key need not be allowed to ask.
        os.environ.setdefault("SAGEMAKER_VALIDATE_ROLE", "false")
        from sagemaker.core.helper.session_helper import Session
        from sagemaker.core.shapes import OutputDataConfig
        from sagemaker.train import ModelTrainer
        from sagemaker.train.configs import Compute, InputData, MetricDefinition, StoppingCondition

        location = manifest["location"]
        channels = {
            "train": location + layout.split_folder("train"),
            "validation": location + layout.split_folder("validation"),
            "manifest": f"s3://{place.bucket}/{layout.dataset_manifest_key(workload.name, manifest['version'])}",
        }
        trainer = ModelTrainer(
            sagemaker_session=Session(boto_session=session, default_bucket=place.bucket),
            role=place.role,
            training_image=place.image,
            base_job_name=f"nj-{workload.name}-launch",
            compute=Compute(
                instance_type=place.instance_type,
                instance_count=1,
                volume_size_in_gb=workload.jobs.training.instance_gb,
            ),
            stopping_condition=StoppingCondition(max_runtime_in_seconds=workload.model.max_runtime_seconds),
            output_data_config=OutputDataConfig(
                s3_output_path=f"s3://{place.bucket}/{layout.job_prefix(workload.name, 'launch', 'by-hand')}"
            ),
            input_data_config=[InputData(channel_name=name, data_source=uri) for name, uri in channels.items()],
            hyperparameters={
                "workload": workload.name,
                "code_sha": _code_sha(),
                "dataset_version": manifest["version"],
                **hyperparameter_texts(values),
            },
        ).with_metric_definitions(
            [MetricDefinition(name=name, regex=rf"metric:validation_{name}=([0-9.eE+-]+)") for name in METRICS]
        )
        trainer.train(wait=False, logs=False)
        job = trainer._latest_training_job
        try:
            job.wait(logs=True)
        except Exception as error:  # the SDK's own error of a job that failed; the caller asks AWS for the reason
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return str(job.training_job_name)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m include.training.launch", description=__doc__.splitlines()[0])
    parser.add_argument("--workload", required=True)
    parser.add_argument("--dataset", default=datasets.NEWEST, help="version of the data set, or its first digits")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a hyperparameter")
    for name, setting, text in (
        ("artifact-bucket", "ARTIFACT_BUCKET", "bucket of the data set manifests and of the models"),
        ("image", "TRAINING_IMAGE", "the training image"),
        ("role", "TRAINING_ROLE_ARN", "ARN of the job's role"),
    ):
        default = os.environ.get(f"NIGHTJAR_{setting}")
        parser.add_argument(f"--{name}", default=default, required=not default, help=f"{text}; or NIGHTJAR_{setting}")
    gpu_image = os.environ.get("NIGHTJAR_TRAINING_GPU_IMAGE", "")
    text = "the training image of instance types with a GPU; or NIGHTJAR_TRAINING_GPU_IMAGE"
    parser.add_argument("--gpu-image", default=gpu_image, help=text)
    parser.add_argument("--instance-type", default=os.environ.get("NIGHTJAR_TRAINING_INSTANCE_TYPE", "ml.m5.xlarge"))
    parser.add_argument("--region", default=os.environ.get("NIGHTJAR_REGION", "us-east-1"))
    return parser.parse_args(arguments)


def _assignments(texts: Sequence[str]) -> dict[str, str]:
    found = {}
    for text in " ".join(texts).split():
        name, separator, value = text.partition("=")
        if not (name and separator):
            raise UserError(f"{text!r} sets no hyperparameter. Write name=value, such as learning_rate=0.05.")
        found[name] = value
    return found


def _code_sha() -> str:
    """The commit of this checkout, for the bundle's manifest; what runs is the image."""
    command = ["git", "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
