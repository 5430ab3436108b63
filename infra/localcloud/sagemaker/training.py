"""Training jobs: SageMaker's container contract (``/opt/ml``) around one process."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

from moto.core.utils import utcnow

from ..jobs import ExitResult
from .job import SageMakerJob, refuse_if, words
from .storage import Storage

_MAX_RUNTIME = 86400
_MESSAGES = {
    "Starting": "Preparing the instances for training",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Stopping": "Stopping the training job",
    "Completed": "Training job completed",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
    "Failed": "Training job failed",
}
_KEPT = [
    "TrainingJobName",
    "HyperParameters",
    "AlgorithmSpecification",
    "RoleArn",
    "InputDataConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "VpcConfig",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "ExperimentConfig",
    "Environment",
    "RetryStrategy",
]


class TrainingJob(SageMakerJob):
    """``describe()`` is DescribeTrainingJob's answer."""

    kind = "training"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.secondary = "Starting"
        self.transitions: list[dict[str, Any]] = []
        self.started_at: datetime | None = None
        self.ended_at: datetime | None = None
        self.metrics: list[dict[str, Any]] = []
        self._move("Starting")

    @staticmethod
    def check(request: dict[str, Any]) -> None:
        """Refuses what would not be done as asked."""
        algorithm = request.get("AlgorithmSpecification") or {}
        sources = [channel["DataSource"] for channel in request.get("InputDataConfig") or []]
        channels = request.get("InputDataConfig") or []
        modes = {algorithm.get("TrainingInputMode", "File"), *(c.get("InputMode", "File") for c in channels)}
        refuse_if(
            {
                "more than one instance": (request.get("ResourceConfig") or {}).get("InstanceCount", 1) != 1,
                "algorithms without a TrainingImage": not algorithm.get("TrainingImage"),
                "channels other than S3DataSource": any("S3DataSource" not in source for source in sources),
                "S3DataType other than S3Prefix": any(
                    s.get("S3DataSource", {}).get("S3DataType") != "S3Prefix" for s in sources
                ),
                "input mode Pipe": "Pipe" in modes,
                "compressed channels": any(c.get("CompressionType", "None") != "None" for c in channels),
                "record wrappers": any(c.get("RecordWrapperType", "None") != "None" for c in channels),
                "uncompressed output": request["OutputDataConfig"].get("CompressionType", "GZIP") != "GZIP",
                "checkpoints": "CheckpointConfig" in request,
                "debugger rules": bool(request.get("DebugRuleConfigurations")),
                "serverless jobs": "ServerlessJobConfig" in request,
            }
        )

    def _move(self, status: str) -> None:
        now = utcnow()
        if self.transitions:
            self.transitions[-1]["EndTime"] = now
        self.secondary, self.modified_at = status, now
        self.transitions.append({"Status": status, "StartTime": now, "StatusMessage": _MESSAGES[status]})

    def prepare(self, storage: Storage) -> None:
        self._advance("Downloading")
        for folder in ("input/config", "input/data", "model", "output/data"):
            (self.root / folder).mkdir(parents=True)
        channels = self.request.get("InputDataConfig") or []
        for channel in channels:
            storage.download(
                channel["DataSource"]["S3DataSource"]["S3Uri"], self.root / "input/data" / channel["ChannelName"]
            )
        kind = (self.request.get("ResourceConfig") or {}).get("InstanceType", "ml.m5.large")
        self._config("hyperparameters", self.request.get("HyperParameters") or {})
        self._config("inputdataconfig", {c["ChannelName"]: self._channel(c) for c in channels})
        self._config(
            "resourceconfig",
            {
                "current_host": "algo-1",
                "hosts": ["algo-1"],
                "current_instance_type": kind,
                "current_group_name": "homogeneousCluster",
                "instance_groups": [
                    {"instance_group_name": "homogeneousCluster", "instance_type": kind, "hosts": ["algo-1"]}
                ],
                "network_interface_name": "lo",
            },
        )

    def _channel(self, channel: dict[str, Any]) -> dict[str, str]:
        source = channel["DataSource"]["S3DataSource"]
        algorithm = self.request["AlgorithmSpecification"]
        told = {
            "TrainingInputMode": channel.get("InputMode") or algorithm.get("TrainingInputMode", "File"),
            "S3DistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
            "RecordWrapperType": channel.get("RecordWrapperType", "None"),
        }
        return told | ({"ContentType": channel["ContentType"]} if channel.get("ContentType") else {})

    def _config(self, name: str, content: dict[str, Any]) -> None:
        (self.root / "input/config" / f"{name}.json").write_text(json.dumps(content))

    def command(self) -> tuple[list[str], Path, dict[str, str]]:
        algorithm = self.request["AlgorithmSpecification"]
        image = self.context.config.image(algorithm["TrainingImage"])
        command = words(
            image.command, algorithm.get("ContainerEntrypoint"), algorithm.get("ContainerArguments"), ["train"]
        )
        own = {"TRAINING_JOB_NAME": self.name, "TRAINING_JOB_ARN": self.arn}
        return image.argv(command), image.cwd, {**image.env, **(self.request.get("Environment") or {}), **own}

    def max_runtime(self) -> float:
        return float((self.request.get("StoppingCondition") or {}).get("MaxRuntimeInSeconds", _MAX_RUNTIME))

    def started(self) -> None:
        self.started_at = utcnow()
        self._move("Training")

    def stopping(self) -> None:
        self._move("Stopping")

    def _advance(self, status: str) -> None:
        """Moves on unless a stop was asked for: then SageMaker goes on saying Stopping."""
        with self._lock:
            if not self._stop_asked:
                self._move(status)

    def finish(self, storage: Storage, result: ExitResult | None) -> str:
        if result is None:
            return "Stopped"
        self.ended_at = utcnow()
        self.metrics = scrape(self.log_lines(), self.request["AlgorithmSpecification"].get("MetricDefinitions") or [])
        prefix = f"{self.request['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{self.name}/output"
        self._advance("Uploading")
        storage.upload_archive(self.root / "output/data", f"{prefix}/output.tar.gz", self.root)
        if result.kind == "exited" and result.code != 0:
            return self.failed(result)
        storage.upload_archive(self.root / "model", f"{prefix}/model.tar.gz", self.root)
        if result.kind == "timed_out":
            return "MaxRuntimeExceeded"
        return "Stopped" if result.kind == "stopped" else "Completed"

    def ended(self, status: str) -> None:
        self.status = "Stopped" if status == "MaxRuntimeExceeded" else status
        self._move(status)
        if self.failure_reason:
            self.transitions[-1]["StatusMessage"] = self.failure_reason
        self.transitions[-1]["EndTime"] = self.transitions[-1]["StartTime"]
        self.ended_at = self.ended_at or utcnow()

    def describe(self) -> dict[str, Any]:
        with self._lock:
            seconds = (
                int((self.ended_at - self.started_at).total_seconds()) + 1
                if self.ended_at and self.started_at
                else None
            )
            output = f"{self.request['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{self.name}/output/model.tar.gz"
            told = {
                **{name: self.request.get(name) for name in _KEPT},
                "TrainingJobArn": self.arn,
                "TrainingJobStatus": self.status,
                "SecondaryStatus": self.secondary,
                "SecondaryStatusTransitions": [dict(transition) for transition in self.transitions],
                "FailureReason": self.failure_reason,
                "StoppingCondition": self.request.get("StoppingCondition") or {"MaxRuntimeInSeconds": _MAX_RUNTIME},
                "ModelArtifacts": {"S3ModelArtifacts": output},
                "FinalMetricDataList": self.metrics or None,
                "CreationTime": self.created_at,
                "TrainingStartTime": self.started_at,
                "TrainingEndTime": self.ended_at,
                "LastModifiedTime": self.modified_at,
                "TrainingTimeInSeconds": seconds,
                "BillableTimeInSeconds": seconds,
            }
        return {name: value for name, value in told.items() if value is not None}

    def summary(self) -> dict[str, Any]:
        told = self.describe()
        names = [
            "TrainingJobName",
            "TrainingJobArn",
            "CreationTime",
            "TrainingEndTime",
            "LastModifiedTime",
            "TrainingJobStatus",
            "SecondaryStatus",
        ]
        return {name: told[name] for name in names if name in told}


def scrape(lines: list[str], definitions: list[dict[str, str]]) -> list[dict[str, Any]]:
    """The last value of every metric whose pattern matches a line; the first group is the number."""
    found: dict[str, dict[str, Any]] = {}
    for line in lines:
        for definition in definitions:
            match = re.search(definition["Regex"], line)
            if match and match.groups():
                try:
                    value = float(match[1])
                except (TypeError, ValueError):
                    continue
                found[definition["Name"]] = {"MetricName": definition["Name"], "Value": value, "Timestamp": utcnow()}
    return list(found.values())
