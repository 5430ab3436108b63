"""Parts of the request of a SageMaker processing job, by the contract of ``include.training``."""

from __future__ import annotations

from typing import Any

INPUT_ROOT = "/opt/ml/processing/input"
OUTPUT_ROOT = "/opt/ml/processing/output"


def processing_input(name: str, uri: str, folder: str | None = None) -> dict[str, Any]:
    """Returns an input: everything below a prefix of S3.

    Args:
        name: The input's name.
        uri: The prefix. There must be an object below it.
        folder: Where the job finds it, below its inputs; None: in a folder of the input's name.
    """
    path = f"{INPUT_ROOT}/{folder or name}"
    return {
        "InputName": name,
        "S3Input": {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File"},
    }


def processing_output(name: str, uri: str) -> dict[str, Any]:
    """Returns the job's one output, which is uploaded when it ends."""
    output = {"S3Uri": uri, "LocalPath": OUTPUT_ROOT, "S3UploadMode": "EndOfJob"}
    return {"Outputs": [{"OutputName": name, "S3Output": output}]}


def job_tags(workload: str) -> list[dict[str, str]]:
    """Returns the tags of a job."""
    return [{"Key": "project", "Value": "nightjar"}, {"Key": "workload", "Value": workload}]
