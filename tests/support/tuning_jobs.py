"""Requests for tuning jobs on a local cloud, whose objective is largest where the hyperparameter x is 0.3."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.localcloud import ACCOUNT, VENVS, Cloud

ROLE = f"arn:aws:iam::{ACCOUNT}:role/training"
BUCKET = "tuning-test"
# `kind`: well, bad (fails), mute (no metric), slow (prints, then waits). A trial with x above 0.8 is slow, too.
SCRIPT = """
import json, os, pathlib, sys, time
root = pathlib.Path(os.environ.get("ML_ROOT", "/opt/ml"))
hyper = json.loads((root / "input/config/hyperparameters.json").read_text())
(root / "model/seen.json").write_text(json.dumps({"argv": sys.argv[1:], "hyperparameters": hyper}))
kind, x = hyper.get("kind", "well"), float(hyper.get("x", 0.5))
if kind == "bad":
    raise ValueError("a bad trial")
for step in range(int(hyper.get("steps", 1))):
    if kind != "mute":
        print(f"metric:auc={1 - (x - 0.3) ** 2}", flush=True)
    time.sleep(0.3 if x > 0.8 and int(hyper.get("steps", 1)) > 1 else 0)
if kind == "slow":
    time.sleep(300)
"""


def tuning_images(folder: Path) -> dict[str, Any]:
    """The image ``tune:1``, whose script is written to ``folder``."""
    (folder / "trial.py").write_text(SCRIPT)
    python = str(VENVS / "test" / "bin" / "python")
    return {"tune:1": {"python": python, "cwd": str(folder), "command": ["python", "trial.py"]}}


def put_data(cloud: Cloud) -> None:
    """Makes the bucket with the data of the requests."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="data/a.csv", Body=b"1,2\n")


X = {"ContinuousParameterRanges": [{"Name": "x", "MinValue": "0", "MaxValue": "1", "ScalingType": "Linear"}]}


def tuning(
    name: str,
    trials: int | None = 4,
    *,
    parallel: int = 2,
    strategy: str = "Random",
    ranges: dict[str, Any] | None = None,
    config: dict[str, Any] | None = None,
    **static: str,
) -> dict[str, Any]:
    """A CreateHyperParameterTuningJob request."""
    limits = {"MaxParallelTrainingJobs": parallel, **({} if trials is None else {"MaxNumberOfTrainingJobs": trials})}
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/data/"}
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": {
            "Strategy": strategy,
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "auc"},
            "ResourceLimits": limits,
            "ParameterRanges": ranges or X,
            "RandomSeed": 7,
            **(config or {}),
        },
        "TrainingJobDefinition": {
            "StaticHyperParameters": static,
            "AlgorithmSpecification": {
                "TrainingImage": "tune:1",
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "auc", "Regex": "metric:auc=(\\S+)"}],
            },
            "RoleArn": ROLE,
            "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
            "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/out/"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
            "StoppingCondition": {"MaxRuntimeInSeconds": 120},
        },
        "Tags": [{"Key": "k", "Value": "v"}],
    }


def trials_of(cloud: Cloud, name: str, **options: Any) -> list[dict[str, Any]]:
    """The trials of a tuning job, by default in the order in which they began."""
    listed: list[dict[str, Any]] = cloud.client("sagemaker").list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name, **{"SortBy": "CreationTime", **options}
    )["TrainingJobSummaries"]
    return listed


def ended_tuning(cloud: Cloud, name: str) -> dict[str, Any]:
    """The description of a tuning job once it is over."""

    def over() -> dict[str, Any] | None:
        job: dict[str, Any] = cloud.client("sagemaker").describe_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=name
        )
        return job if job["HyperParameterTuningJobStatus"] not in ("InProgress", "Stopping") else None

    found: dict[str, Any] = cloud.wait_until(over)
    return found
