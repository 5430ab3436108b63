"""Processing jobs: inputs from S3 below ``/opt/ml/processing``, one process, outputs to S3 at its end."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from moto.core.utils import utcnow
from moto.sagemaker.exceptions import ValidationError

from ..jobs import ExitResult
from .job import ML, SageMakerJob, refuse_if, words
from .storage import Storage

_MAX_RUNTIME = 86400
_MESSAGE_CHARACTERS = 1024
_KEPT = [
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
_SUMMARY = [
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
    """``describe()`` is DescribeProcessingJob's answer."""

    kind = "processing"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.started_at: datetime | None = None
        self.ended_at: datetime | None = None
        self.exit_message: str | None = None

    @staticmethod
    def check(request: dict[str, Any]) -> None:
        """Refuses what would not be done as asked, and paths that the container contract does not have."""
        inputs, outputs = _inputs(request), _outputs(request)
        sources = [i.get("S3Input", {}) for i in inputs]
        targets = [o.get("S3Output", {}) for o in outputs]
        refuse_if(
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
        for place in [*sources, *targets]:
            if not str(place.get("LocalPath", "")).startswith(f"{ML}/processing"):
                raise ValidationError(f"LocalPath must be below {ML}/processing, not {place.get('LocalPath')!r}.")

    def prepare(self, storage: Storage) -> None:
        for folder in ("config", "output", "processing"):
            (self.root / folder).mkdir()
        config = {name: self.request[name] for name in _KEPT if name in self.request} | {"ProcessingJobArn": self.arn}
        (self.root / "config/processingjobconfig.json").write_text(json.dumps(config))
        (self.root / "config/resourceconfig.json").write_text(
            json.dumps({"current_host": "algo-1", "hosts": ["algo-1"]})
        )
        for wanted in _inputs(self.request):
            storage.download(wanted["S3Input"]["S3Uri"], Path(self.localized(wanted["S3Input"]["LocalPath"])))
        for wanted in _outputs(self.request):
            Path(self.localized(wanted["S3Output"]["LocalPath"])).mkdir(parents=True, exist_ok=True)

    def command(self) -> tuple[list[str], Path, dict[str, str]]:
        app = self.request["AppSpecification"]
        image = self.context.config.image(app["ImageUri"])
        command = words(image.command, app.get("ContainerEntrypoint"), app.get("ContainerArguments"), [])
        return image.argv(command), image.cwd, {**image.env, **(self.request.get("Environment") or {})}

    def max_runtime(self) -> float:
        return float((self.request.get("StoppingCondition") or {}).get("MaxRuntimeInSeconds", _MAX_RUNTIME))

    def started(self) -> None:
        self.started_at = self.modified_at = utcnow()

    def finish(self, storage: Storage, result: ExitResult | None) -> str:
        if result is None or result.kind == "stopped":
            return "Stopped"
        self.exit_message = self.read("output/message")[:_MESSAGE_CHARACTERS] or None
        if result.kind == "timed_out":
            self.failure_reason = (
                f"ClientError: the job exceeded its MaxRuntimeInSeconds of {self.max_runtime():.0f} and was stopped."
            )
            return "Stopped"
        if result.code != 0:
            return self.failed(result)
        for wanted in _outputs(self.request):
            output = wanted["S3Output"]
            storage.upload_folder(Path(self.localized(output["LocalPath"])), output["S3Uri"])
        return "Completed"

    def ended(self, status: str) -> None:
        self.ended_at = utcnow()

    def describe(self) -> dict[str, Any]:
        with self._lock:
            told = {
                **{name: self.request.get(name) for name in _KEPT},
                "ProcessingJobArn": self.arn,
                "ProcessingJobStatus": self.status,
                "ExitMessage": self.exit_message,
                "FailureReason": self.failure_reason,
                "StoppingCondition": self.request.get("StoppingCondition") or {"MaxRuntimeInSeconds": _MAX_RUNTIME},
                "CreationTime": self.created_at,
                "ProcessingStartTime": self.started_at,
                "ProcessingEndTime": self.ended_at,
                "LastModifiedTime": self.modified_at,
            }
        return {name: value for name, value in told.items() if value is not None}

    def summary(self) -> dict[str, Any]:
        told = self.describe()
        return {name: told[name] for name in _SUMMARY if name in told}


def _inputs(request: dict[str, Any]) -> list[dict[str, Any]]:
    return request.get("ProcessingInputs") or []


def _outputs(request: dict[str, Any]) -> list[dict[str, Any]]:
    return (request.get("ProcessingOutputConfig") or {}).get("Outputs") or []
