"""Processing jobs: inputs from S3 below ``/opt/ml/processing``, one process, outputs to S3 when it ends."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from moto.core.utils import utcnow
from moto.sagemaker.exceptions import ValidationError

from infra.localcloud.jobs import ExitResult
from infra.localcloud.sagemaker.job import (
    DEFAULT_MAX_RUNTIME_SECONDS,
    ML_ROOT,
    SageMakerJob,
    container_command,
    refuse_unsupported,
)
from infra.localcloud.sagemaker.storage import Storage

_MESSAGE_CHARACTERS = 1024
_REQUEST_FIELDS = [
    "ProcessingInputs",
    "ProcessingOutputConfig",
    "ProcessingJobName",
    "ProcessingResources",
    "StoppingCondition",
    "AppSpecification",
    "Environment",
    "NetworkConfig",
    "RoleArn",
    "ExperimentConfig",
]
_SUMMARY_FIELDS = [
    "ProcessingJobName",
    "ProcessingJobArn",
    "CreationTime",
    "ProcessingEndTime",
    "LastModifiedTime",
    "ProcessingJobStatus",
    "FailureReason",
    "ExitMessage",
]


class ProcessingJob(SageMakerJob):
    """One processing job."""

    kind = "processing"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.started_at: datetime | None = None
        self.ended_at: datetime | None = None
        self.exit_message: str | None = None

    @staticmethod
    def check(request: dict[str, Any]) -> None:
        """Refuses features that are not supported, and paths outside ``/opt/ml/processing``.

        Raises:
            NotImplementedError: A feature is not supported.
            ValidationError: A LocalPath is not below ``/opt/ml/processing``.
        """
        inputs, outputs = _inputs(request), _outputs(request)
        sources = [i.get("S3Input", {}) for i in inputs]
        targets = [o.get("S3Output", {}) for o in outputs]
        refuse_unsupported(
            {
                "more than one instance": request["ProcessingResources"]["ClusterConfig"]["InstanceCount"] != 1,
                "inputs other than S3Input": any("S3Input" not in i for i in inputs),
                "S3DataType other than S3Prefix": any(s.get("S3DataType") != "S3Prefix" for s in sources),
                "input mode Pipe": any(s.get("S3InputMode", "File") != "File" for s in sources),
                "compressed inputs": any(s.get("S3CompressionType", "None") != "None" for s in sources),
                "outputs other than S3Output": any("S3Output" not in o for o in outputs),
                "S3UploadMode Continuous": any(t.get("S3UploadMode") != "EndOfJob" for t in targets),
                "app-managed inputs and outputs": any(x.get("AppManaged") for x in [*inputs, *outputs]),
            }
        )
        for location in [*sources, *targets]:
            if not str(location.get("LocalPath", "")).startswith(f"{ML_ROOT}/processing"):
                raise ValidationError(
                    f"LocalPath must be below {ML_ROOT}/processing, not {location.get('LocalPath')!r}."
                )

    def prepare(self, storage: Storage) -> None:
        """Writes the configuration files, downloads the inputs, creates the output folders."""
        for folder in ("config", "output", "processing"):
            (self.root / folder).mkdir()
        config = {name: self.request[name] for name in _REQUEST_FIELDS if name in self.request} | {
            "ProcessingJobArn": self.arn
        }
        (self.root / "config/processingjobconfig.json").write_text(json.dumps(config))
        (self.root / "config/resourceconfig.json").write_text(
            json.dumps({"current_host": "algo-1", "hosts": ["algo-1"]})
        )
        for declared in _inputs(self.request):
            source = declared["S3Input"]
            storage.download(source["S3Uri"], Path(self.local_path(source["LocalPath"])))
        for declared in _outputs(self.request):
            Path(self.local_path(declared["S3Output"]["LocalPath"])).mkdir(parents=True, exist_ok=True)

    @property
    def image(self) -> str:
        """AppSpecification's ImageUri."""
        return str(self.request["AppSpecification"]["ImageUri"])

    def command(self) -> tuple[list[str], Path, dict[str, str]]:
        """AppSpecification's command with the image's and the job's environment."""
        app = self.request["AppSpecification"]
        image = self.context.config.image(self.image)
        command = container_command(image.command, app.get("ContainerEntrypoint"), app.get("ContainerArguments"), [])
        return image.argv(command), image.cwd, {**image.env, **(self.request.get("Environment") or {})}

    def on_started(self) -> None:
        """Notes the start time."""
        self.started_at = self.modified_at = utcnow()

    def finish(self, storage: Storage, result: ExitResult | None) -> str:
        """Uploads the outputs of a process that ended well."""
        if result is None or result.kind == "stopped":
            return "Stopped"
        self.exit_message = self.read("output/message")[:_MESSAGE_CHARACTERS] or None
        if result.kind == "timed_out":
            self.failure_reason = (
                f"ClientError: the job exceeded its MaxRuntimeInSeconds of {self.max_runtime():.0f} and was stopped. "
                "Raise the limit or make the job faster."
            )
            return "Stopped"
        if result.code != 0:
            return self.fail_after(result)
        for declared in _outputs(self.request):
            output = declared["S3Output"]
            storage.upload_folder(Path(self.local_path(output["LocalPath"])), output["S3Uri"])
        return "Completed"

    def on_ended(self, status: str) -> None:
        """Notes the end time."""
        self.ended_at = utcnow()

    def describe(self) -> dict[str, Any]:
        """DescribeProcessingJob."""
        with self._lock:
            description = {
                **{name: self.request.get(name) for name in _REQUEST_FIELDS},
                "ProcessingJobArn": self.arn,
                "ProcessingJobStatus": self.status,
                "ExitMessage": self.exit_message,
                "FailureReason": self.failure_reason,
                "StoppingCondition": self.request.get("StoppingCondition")
                or {"MaxRuntimeInSeconds": DEFAULT_MAX_RUNTIME_SECONDS},
                "CreationTime": self.created_at,
                "ProcessingStartTime": self.started_at,
                "ProcessingEndTime": self.ended_at,
                "LastModifiedTime": self.modified_at,
            }
        return {name: value for name, value in description.items() if value is not None}

    def summary(self) -> dict[str, Any]:
        """The job's entry in ListProcessingJobs."""
        description = self.describe()
        return {name: description[name] for name in _SUMMARY_FIELDS if name in description}


def _inputs(request: dict[str, Any]) -> list[dict[str, Any]]:
    return request.get("ProcessingInputs") or []


def _outputs(request: dict[str, Any]) -> list[dict[str, Any]]:
    return (request.get("ProcessingOutputConfig") or {}).get("Outputs") or []
