"""Training jobs: SageMaker's container contract (``/opt/ml``) around one process."""

from __future__ import annotations

import json
import re
import shutil
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from moto.core.utils import utcnow
from moto.sagemaker.exceptions import ValidationError

from infra.localcloud.jobs import ExitResult, Job
from infra.localcloud.sagemaker.checkpoints import (
    DEFAULT_FOLDER,
    SYNC_SECONDS,
    Checkpoints,
    Interrupted,
    interruptions,
)
from infra.localcloud.sagemaker.job import (
    DEFAULT_MAX_RUNTIME_SECONDS,
    ML_ROOT,
    STOP_GRACE_SECONDS,
    SageMakerJob,
    container_command,
    refuse_unsupported,
)
from infra.localcloud.sagemaker.storage import Storage

_MESSAGES = {
    "Starting": "Preparing the instances for training",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Interrupted": "Training job interrupted, because its capacity was taken away",
    "Uploading": "Uploading generated training model",
    "Stopping": "Stopping the training job",
    "Completed": "Training job completed",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
    "Failed": "Training job failed",
}
_REQUEST_FIELDS = [
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
    "CheckpointConfig",
    "ExperimentConfig",
    "Environment",
    "RetryStrategy",
    "TuningJobArn",  # of a tuning job's trial
]
_GPU_INSTANCE = re.compile(r"ml\.(g|gr|p)\d")
_SUMMARY_FIELDS = [
    "TrainingJobName",
    "TrainingJobArn",
    "CreationTime",
    "TrainingEndTime",
    "LastModifiedTime",
    "TrainingJobStatus",
    "SecondaryStatus",
]


class TrainingJob(SageMakerJob):
    """One training job. Its SecondaryStatus follows SageMaker's transitions."""

    kind = "training"
    RUNTIME: ClassVar[dict[str, Any]] = {
        **SageMakerJob.RUNTIME,
        "_checkpoints": None,
        "_interruptions": 0,
        "_storage": None,
    }

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.secondary_status = "Starting"
        self.transitions: list[dict[str, Any]] = []
        self.started_at: datetime | None = None
        self.ended_at: datetime | None = None
        self.metrics: list[dict[str, Any]] = []
        self._storage: Storage | None = None
        self._checkpoints: Checkpoints | None = None
        self._interruptions = interruptions(self.request)
        self._set_secondary("Starting")

    @staticmethod
    def check(request: dict[str, Any]) -> None:
        """Refuses features that are not supported.

        A job on spare capacity runs as any other. Only its tag (:func:`interruptions`) takes the capacity away.

        Raises:
            NotImplementedError: The request uses one.
            ValidationError: A job on spare capacity has no limit of its wait, or the tag is wrong.
        """
        interruptions(request)
        checkpoints = (request.get("CheckpointConfig") or {}).get("LocalPath", DEFAULT_FOLDER)
        algorithm = request.get("AlgorithmSpecification") or {}
        sources = [channel["DataSource"] for channel in request.get("InputDataConfig") or []]
        channels = request.get("InputDataConfig") or []
        modes = {algorithm.get("TrainingInputMode", "File"), *(c.get("InputMode", "File") for c in channels)}
        refuse_unsupported(
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
                "checkpoints outside /opt/ml": not checkpoints.startswith(f"{ML_ROOT}/"),
                "debugger rules": bool(request.get("DebugRuleConfigurations")),
                "serverless jobs": "ServerlessJobConfig" in request,
            }
        )
        if request.get("EnableManagedSpotTraining"):
            condition = request.get("StoppingCondition") or {}
            limit = condition.get("MaxRuntimeInSeconds", DEFAULT_MAX_RUNTIME_SECONDS)
            if condition.get("MaxWaitTimeInSeconds", 0) < limit:
                raise ValidationError(
                    "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to "
                    "MaxRuntimeInSeconds"
                )

    def _set_secondary(self, status: str) -> None:
        now = utcnow()
        if self.transitions:
            self.transitions[-1]["EndTime"] = now
        self.secondary_status, self.modified_at = status, now
        self.transitions.append({"Status": status, "StartTime": now, "StatusMessage": _MESSAGES[status]})

    def prepare(self, storage: Storage) -> None:
        """Creates the folders of ``/opt/ml``, downloads the channels, writes the configuration files."""
        self._storage = storage
        self._advance("Downloading")
        for folder in ("input/config", "input/data", "model", "output/data"):
            (self.root / folder).mkdir(parents=True)
        channels = self.request.get("InputDataConfig") or []
        for channel in channels:
            storage.download(
                channel["DataSource"]["S3DataSource"]["S3Uri"], self.root / "input/data" / channel["ChannelName"]
            )
        if config := self.request.get("CheckpointConfig"):
            place = self.root / Path(config.get("LocalPath", DEFAULT_FOLDER)).relative_to(ML_ROOT)
            self._checkpoints = Checkpoints(storage, config["S3Uri"], place)
            self._checkpoints.restore()
        kind = (self.request.get("ResourceConfig") or {}).get("InstanceType", "ml.m5.large")
        self._write_config("hyperparameters", self.request.get("HyperParameters") or {})
        self._write_config("inputdataconfig", {c["ChannelName"]: self._channel_config(c) for c in channels})
        self._write_config(
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

    def _channel_config(self, channel: dict[str, Any]) -> dict[str, str]:
        source = channel["DataSource"]["S3DataSource"]
        algorithm = self.request["AlgorithmSpecification"]
        config = {
            "TrainingInputMode": channel.get("InputMode") or algorithm.get("TrainingInputMode", "File"),
            "S3DistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
            "RecordWrapperType": channel.get("RecordWrapperType", "None"),
        }
        return config | ({"ContentType": channel["ContentType"]} if channel.get("ContentType") else {})

    def _write_config(self, name: str, content: dict[str, Any]) -> None:
        (self.root / "input/config" / f"{name}.json").write_text(json.dumps(content))

    @property
    def image(self) -> str:
        """AlgorithmSpecification's TrainingImage."""
        return str(self.request["AlgorithmSpecification"]["TrainingImage"])

    def command(self) -> tuple[list[str], Path, dict[str, str]]:
        """AlgorithmSpecification's command (``train`` is the default argument) with the job's environment."""
        algorithm = self.request["AlgorithmSpecification"]
        image = self.context.config.image(self.image)
        command = container_command(
            image.command, algorithm.get("ContainerEntrypoint"), algorithm.get("ContainerArguments"), ["train"]
        )
        own = {"TRAINING_JOB_NAME": self.name, "TRAINING_JOB_ARN": self.arn}
        return image.argv(command), image.cwd, {**image.env, **(self.request.get("Environment") or {}), **own}

    def _execute(self) -> ExitResult | None:
        """Runs the process, again after each interruption: on another instance, which has what is in S3 only."""
        while True:
            try:
                return super()._execute()
            except Interrupted:
                storage = self._storage
                assert storage is not None
                self._advance("Interrupted")
                shutil.rmtree(self.root)
                self.root.mkdir()
                self._advance("Starting")
                self.prepare(storage)

    def await_end(self, process: Job) -> ExitResult | None:
        """Waits for the end of the process, and copies its checkpoints to S3 meanwhile.

        Raises:
            Interrupted: The capacity was taken away.
        """
        checkpoints = self._checkpoints
        if checkpoints is None:
            return process.wait()
        try:
            return self._copied_until_end(process, checkpoints)
        except Interrupted:
            raise
        except BaseException:  # what the job may not write, for instance: nothing of a job outlives it
            process.stop(0)
            process.wait()
            raise

    def _copied_until_end(self, process: Job, checkpoints: Checkpoints) -> ExitResult | None:
        while (result := process.wait(SYNC_SECONDS)) is None:
            if checkpoints.copy() and self._interruptions and not self._stop_requested:
                self._interruptions -= 1
                process.stop(STOP_GRACE_SECONDS)
                result = process.wait()
                checkpoints.copy()
                if result is not None and result.kind == "stopped" and not self._stop_requested:
                    raise Interrupted
                return result
        checkpoints.copy()
        return result

    def on_started(self) -> None:
        """Training. There is no GPU here, whatever the instance type: the status says so."""
        self.started_at = self.started_at or utcnow()
        self._set_secondary("Training")
        kind = (self.request.get("ResourceConfig") or {}).get("InstanceType", "")
        if _GPU_INSTANCE.match(kind):
            self.transitions[-1]["StatusMessage"] += f" The local cloud has no GPU: {kind} runs on the CPU."

    def on_stopping(self) -> None:
        """Stopping, until the job has ended."""
        self._set_secondary("Stopping")

    def _advance(self, status: str) -> None:
        """Sets the next SecondaryStatus, unless a stop was requested: then it stays Stopping, as on SageMaker."""
        with self._lock:
            if not self._stop_requested:
                self._set_secondary(status)

    def finish(self, storage: Storage, result: ExitResult | None) -> str:
        """Uploads ``output/data``, and ``model`` unless the process failed."""
        if result is None:
            return "Stopped"
        self.ended_at = utcnow()
        self.metrics = final_metrics(
            self.log_lines(), self.request["AlgorithmSpecification"].get("MetricDefinitions") or []
        )
        prefix = self._output_prefix()
        self._advance("Uploading")
        storage.upload_archive(self.root / "output/data", f"{prefix}/output.tar.gz", self.root)
        if result.kind == "exited" and result.code != 0:
            return self.fail_after(result)
        storage.upload_archive(self.root / "model", f"{prefix}/model.tar.gz", self.root)
        if result.kind == "timed_out":
            return "MaxRuntimeExceeded"
        return "Stopped" if result.kind == "stopped" else "Completed"

    def on_ended(self, status: str) -> None:
        """The final SecondaryStatus; of a job stopped by its time limit it is MaxRuntimeExceeded."""
        self.status = "Stopped" if status == "MaxRuntimeExceeded" else status
        self._set_secondary(status)
        if self.failure_reason:
            self.transitions[-1]["StatusMessage"] = self.failure_reason
        self.transitions[-1]["EndTime"] = self.transitions[-1]["StartTime"]
        self.ended_at = self.ended_at or utcnow()

    def describe(self) -> dict[str, Any]:
        """DescribeTrainingJob."""
        with self._lock:
            seconds = (
                int((self.ended_at - self.started_at).total_seconds()) + 1
                if self.ended_at and self.started_at
                else None
            )
            description = {
                **{name: self.request.get(name) for name in _REQUEST_FIELDS},
                "TrainingJobArn": self.arn,
                "TrainingJobStatus": self.status,
                "SecondaryStatus": self.secondary_status,
                "SecondaryStatusTransitions": [dict(transition) for transition in self.transitions],
                "FailureReason": self.failure_reason,
                "StoppingCondition": self.request.get("StoppingCondition")
                or {"MaxRuntimeInSeconds": DEFAULT_MAX_RUNTIME_SECONDS},
                "ModelArtifacts": {"S3ModelArtifacts": f"{self._output_prefix()}/model.tar.gz"},
                "FinalMetricDataList": self.metrics or None,
                "CreationTime": self.created_at,
                "TrainingStartTime": self.started_at,
                "TrainingEndTime": self.ended_at,
                "LastModifiedTime": self.modified_at,
                "TrainingTimeInSeconds": seconds,
                "BillableTimeInSeconds": seconds,
            }
        return {name: value for name, value in description.items() if value is not None}

    def summary(self) -> dict[str, Any]:
        """The job's entry in ListTrainingJobs."""
        description = self.describe()
        return {name: description[name] for name in _SUMMARY_FIELDS if name in description}

    def _output_prefix(self) -> str:
        return f"{self.request['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{self.name}/output"


def final_metrics(lines: list[str], definitions: list[dict[str, str]]) -> list[dict[str, Any]]:
    """FinalMetricDataList: the last value of every metric.

    Args:
        lines: What the job has printed.
        definitions: MetricDefinitions.
    """
    values = {definition["Name"]: metric_values(lines, definition["Regex"]) for definition in definitions}
    return [{"MetricName": name, "Value": found[-1], "Timestamp": utcnow()} for name, found in values.items() if found]


def metric_values(lines: list[str], regex: str) -> list[float]:
    """The values of a metric, in the order of the lines.

    Args:
        lines: What the job has printed.
        regex: Its first group is the value; a value that is no number is ignored.
    """
    found = []
    for line in lines:
        match = re.search(regex, line)
        if match and match.groups():
            with suppress(TypeError, ValueError):
                found.append(float(match[1]))
    return found
