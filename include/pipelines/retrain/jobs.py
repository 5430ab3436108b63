"""Requests for the SageMaker jobs of a night, by the contract of ``include.training``. ``${submit_key}`` is filled by the
submit operator with the attempt's key, ``${model_uri}`` with what the training job wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from include.pipelines.promotion.packages import Package

VOLUME_GB = 30
INPUT_ROOT = "/opt/ml/processing/input"
OUTPUT_ROOT = "/opt/ml/processing/output"
METRICS = ("auc", "log_loss", "brier")


def training_config(
    *,
    workload: str,
    image: str,
    role_arn: str,
    instance_type: str,
    max_runtime_seconds: int,
    dataset_uri: str,
    manifest_uri: str,
    output_uri: str,
    code_sha: str,
    dataset_version: str,
) -> dict[str, Any]:
    """CreateTrainingJob but for the name. The model's own hyperparameters lie in the workload's folder, in the image."""
    channels = {
        "train": f"{dataset_uri}split=train/",
        "validation": f"{dataset_uri}split=validation/",
        "manifest": manifest_uri,
    }
    return {
        "AlgorithmSpecification": {
            "TrainingImage": image,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python", "-m", "include.training.train"],
            "MetricDefinitions": [
                {"Name": name, "Regex": rf"metric:validation_{name}=([0-9.eE+-]+)"} for name in METRICS
            ],
        },
        "RoleArn": role_arn,
        "HyperParameters": {"workload": workload, "code_sha": code_sha, "dataset_version": dataset_version},
        "InputDataConfig": [
            {"ChannelName": name, "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}}
            for name, uri in channels.items()
        ],
        "OutputDataConfig": {"S3OutputPath": output_uri},
        "ResourceConfig": {"InstanceType": instance_type, "InstanceCount": 1, "VolumeSizeInGB": VOLUME_GB},
        "StoppingCondition": {"MaxRuntimeInSeconds": max_runtime_seconds},
        "Tags": _tags(workload),
    }


def evaluation_config(
    *,
    workload: str,
    image: str,
    role_arn: str,
    instance_type: str,
    max_runtime_seconds: int,
    dataset_uri: str,
    manifest_uri: str,
    output_uri: str,
    bootstrap: int,
    seed: int,
    champion: Package | None,
    champion_manifest_uri: str,
) -> dict[str, Any]:
    """CreateProcessingJob but for the name: candidate and champion scored on one test set."""
    inputs = {"candidate": "${model_uri}", "test": f"{dataset_uri}split=test/", "manifest": manifest_uri}
    arguments = ["--workload", workload, "--bootstrap", str(bootstrap), "--seed", str(seed)]
    if champion:
        inputs |= {"champion": champion.metadata["bundle_uri"], "champion_manifest": champion_manifest_uri}
        arguments += ["--champion-digest", champion.metadata["bundle_digest"]]
    return {
        "AppSpecification": {
            "ImageUri": image,
            "ContainerEntrypoint": ["python", "-m", "include.training.evaluate"],
            "ContainerArguments": arguments,
        },
        "RoleArn": role_arn,
        "ProcessingInputs": [_input(name, uri) for name, uri in inputs.items()],
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "evaluation",
                    "S3Output": {"S3Uri": output_uri, "LocalPath": OUTPUT_ROOT, "S3UploadMode": "EndOfJob"},
                }
            ]
        },
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": instance_type, "InstanceCount": 1, "VolumeSizeInGB": VOLUME_GB}
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": max_runtime_seconds},
        "Tags": _tags(workload),
    }


def _input(name: str, uri: str) -> dict[str, Any]:
    return {
        "InputName": name,
        "S3Input": {"S3Uri": uri, "LocalPath": f"{INPUT_ROOT}/{name}", "S3DataType": "S3Prefix", "S3InputMode": "File"},
    }


def _tags(workload: str) -> list[Mapping[str, str]]:
    return [{"Key": "project", "Value": "nightjar"}, {"Key": "workload", "Value": workload}]
