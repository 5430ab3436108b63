"""The base of training and processing jobs: a thread, a folder in place of ``/opt/ml``, and one process."""

from __future__ import annotations

import json
import shutil
import sys
import threading
import traceback
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar

from moto.core.utils import utcnow
from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.models import sagemaker_backends

from infra.localcloud import mounts
from infra.localcloud.errors import SERVER_ENDED, AccessDeniedError, UnknownImageError
from infra.localcloud.events.publication import publish
from infra.localcloud.image_pulls import require_pull
from infra.localcloud.install import Context
from infra.localcloud.jobs import ExitResult, Job
from infra.localcloud.sagemaker.errors import JobError, StorageError
from infra.localcloud.sagemaker.storage import Storage

STOP_GRACE_SECONDS = 120.0  # as on SageMaker
DEFAULT_MAX_RUNTIME_SECONDS = 86400
ML_ROOT = mounts.ML_ROOT
_REASON_CHARACTERS = 1024
_TAIL_LINES = 20


class SageMakerJob(ABC):
    """One job. Subclasses prepare its folder, name its command, and upload its results.

    Args:
        context: Configuration, identity and process runner of the server.
        name: The job's name.
        request: The Create action's request.
        account: The account of the ARN.
        region: The region of the ARN.
    """

    RUNTIME: ClassVar[dict[str, Any]] = {"_process": None}

    kind: str
    """``training`` or ``processing``: the name in ARNs, log groups and folders."""

    def __init__(self, context: Context, name: str, request: dict[str, Any], account: str, region: str) -> None:
        self.context = context
        self.name = name
        self.request = request
        self.arn = f"arn:aws:sagemaker:{region}:{account}:{self.kind}-job/{name}"
        self.tags: list[dict[str, str]] = list(request.get("Tags") or [])
        self.status = "InProgress"
        self.failure_reason: str | None = None
        self.created_at = self.modified_at = utcnow()
        self.root = context.config.state / "sagemaker" / self.kind / name
        self.log_group = f"/aws/sagemaker/{self.kind.capitalize()}Jobs"
        self.log_stream = f"{name}/algo-1-{int(self.created_at.timestamp())}"
        self._lock = threading.Lock()
        self._stop_requested = False
        self._process: Job | None = None

    def start(self) -> None:
        """Runs the job in a thread and returns at once."""
        self.context.background.run(f"{self.kind}-{self.name}", self._run)

    def stop(self) -> None:
        """Sends the process SIGTERM, and SIGKILL after the grace time.

        Raises:
            ValidationError: The job has ended.
        """
        with self._lock:
            if self.status == "Stopping":
                return
            if self.status != "InProgress":
                raise ValidationError(
                    f"The request was rejected because the {self.kind} job is in status {self.status}."
                )
            self._stop_requested = True
            self.status, self.modified_at = "Stopping", utcnow()
            self.on_stopping()
            if self._process:
                self._process.stop(STOP_GRACE_SECONDS)

    def restored(self) -> None:
        """Ends a job whose process ended with the server."""
        if self.status in ("InProgress", "Stopping"):
            self._end("Stopped" if self.status == "Stopping" else self._fail(SERVER_ENDED))

    def max_runtime(self) -> float:
        """StoppingCondition's MaxRuntimeInSeconds."""
        condition = self.request.get("StoppingCondition") or {}
        return float(condition.get("MaxRuntimeInSeconds", DEFAULT_MAX_RUNTIME_SECONDS))

    # --- implemented by subclasses ---

    @property
    @abstractmethod
    def image(self) -> str:
        """The reference of the container image."""

    @abstractmethod
    def prepare(self, storage: Storage) -> None:
        """Fills the job's folder: configuration and input data."""

    @abstractmethod
    def command(self) -> tuple[list[str], Path, dict[str, str]]:
        """The process's argv, working directory and environment (the image's and the job's)."""

    @abstractmethod
    def finish(self, storage: Storage, result: ExitResult | None) -> str:
        """Uploads the results.

        Args:
            storage: S3 with the job's role.
            result: None when the job was stopped before its process started.

        Returns:
            The status with which the job ends.
        """

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """The answer of the Describe action."""

    @abstractmethod
    def summary(self) -> dict[str, Any]:
        """The job's entry in the answer of the List action."""

    def await_end(self, process: Job) -> ExitResult | None:
        """Waits for the end of the process."""
        return process.wait()

    def on_started(self) -> None:  # noqa: B027 - a hook, not every job has something to do
        """Called with the lock held when the process runs."""

    def on_stopping(self) -> None:  # noqa: B027 - a hook, not every job has something to do
        """Called with the lock held when a stop was requested."""

    def on_ended(self, status: str) -> None:  # noqa: B027 - a hook, not every job has something to do
        """Called with the lock held when the status is final."""

    # --- the thread ---

    def _run(self) -> None:
        try:
            # A server that uses an older one's state folder may find the files of a job with the same name.
            shutil.rmtree(self.root, ignore_errors=True)
            self.root.mkdir(parents=True)
            storage = Storage(self.context, self.request["RoleArn"])
            require_pull(self.context.identity, self.image, self.request["RoleArn"], "SageMaker")
            self.prepare(storage)
            status = self.finish(storage, self._execute())
        except AccessDeniedError as error:
            status = self._fail(f"ClientError: AccessDeniedException: {error}")
        except (JobError, StorageError, UnknownImageError) as error:
            status = self._fail(str(error))
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            status = self._fail(f"InternalServerError: {type(error).__name__}: {error}")
        shutil.rmtree(self.root, ignore_errors=True)
        config = self.context.config
        with self.context.state.background(sagemaker_backends[config.account][config.region]):
            self._end(status)
        self._announce()

    def _announce(self) -> None:
        """Sends the event of the job's end, as SageMaker does."""
        config = self.context.config
        kind = f"SageMaker {self.kind.capitalize()} Job State Change"
        detail = json.loads(json.dumps(self.describe(), default=_milliseconds))
        publish(self.context.state, config.account, config.region, "aws.sagemaker", kind, [self.arn], detail)

    def _end(self, status: str) -> None:
        with self._lock:
            self.status, self.modified_at = status, utcnow()
            self.on_ended(status)

    def _execute(self) -> ExitResult | None:
        argv, cwd, environment = self.command()
        if not self._mounted:
            argv = [self.local_path(word) for word in argv]
            environment = {name: self.local_path(value) for name, value in environment.items()}
            environment["ML_ROOT"] = str(self.root)
        image = self.context.config.image(self.image)
        self.context.runner.warm(image.python, image.preloaded)  # seconds, in which the job must answer a stop
        with self._lock:
            if self._stop_requested:
                return None
            try:
                self._process = self.context.runner.start(
                    f"{self.kind}-{self.name}",
                    argv,
                    cwd=cwd,
                    env=environment,
                    role_arn=self.request["RoleArn"],
                    log_group=self.log_group,
                    log_stream=self.log_stream,
                    log_role_arn=self.request["RoleArn"],
                    timeout_seconds=self.max_runtime(),
                    mounts={ML_ROOT: self.root} if self._mounted else None,
                    preload=image.preloaded,
                )
            except (OSError, mounts.MountError) as error:
                raise JobError(f"ClientError: the container cannot be started: {error}") from None
            self.on_started()
        result = self.await_end(self._process)
        if result is not None and result.kind == "stopped" and not self._stop_requested:
            raise JobError(SERVER_ENDED)
        return result

    @property
    def _mounted(self) -> bool:
        """Whether the process sees its folder at ``/opt/ml``. Otherwise ``ML_ROOT`` names it and paths are replaced."""
        return self.context.config.mounts and mounts.refusal() is None

    def _fail(self, reason: str) -> str:
        self.failure_reason = reason[:_REASON_CHARACTERS]
        return "Failed"

    # --- helpers for subclasses ---

    def local_path(self, text: str) -> str:
        """A path below ``/opt/ml`` as the path below the job's folder; other text unchanged."""
        below_root = text == ML_ROOT or text.startswith(ML_ROOT + "/")
        return str(self.root) + text[len(ML_ROOT) :] if below_root else text

    def fail_after(self, result: ExitResult) -> str:
        """Fails the job after its process did. The reason is the failure file, or else the last lines and exit code."""
        code = 128 - result.code if result.code < 0 else result.code
        failure_file = self.read("output/failure")
        text = failure_file or "\n".join(result.tail[-_TAIL_LINES:])
        prefix, suffix = "AlgorithmError: ", f", exit code: {code}"
        limit = _REASON_CHARACTERS - len(prefix) - len(suffix)
        # A failure file has the cause at its beginning, a traceback at its end.
        kept = text[:limit] if failure_file else text[-limit:]
        return self._fail(prefix + (kept.strip() or "the container printed nothing") + suffix)

    def read(self, name: str) -> str:
        """A small text file of the job's folder, empty when it does not exist."""
        try:
            return (self.root / name).read_text(errors="replace").strip()
        except OSError:
            return ""

    def log_lines(self) -> list[str]:
        """Everything the job has printed."""
        file = self.context.config.state / "logs" / f"{self.log_group}/{self.log_stream}".strip("/")
        return file.read_text(errors="replace").splitlines() if file.exists() else []


def _milliseconds(value: Any) -> int:
    """A time as events have it."""
    return int(value.timestamp() * 1000)


def container_command(
    image_command: tuple[str, ...], entrypoint: list[str] | None, arguments: list[str] | None, default: list[str]
) -> list[str]:
    """The command of a container: its entry point (else the image's command) and its arguments (else ``default``)."""
    if entrypoint:
        return [*entrypoint, *(arguments or [])]
    return [*image_command, *(arguments or default)]


def refuse_unsupported(features: dict[str, bool]) -> None:
    """Refuses a request that uses a feature which the local cloud does not have.

    Args:
        features: The name of each such feature, and whether the request uses it.

    Raises:
        NotImplementedError: The request uses one.
    """
    for feature, used in features.items():
        if used:
            raise NotImplementedError(
                f"SageMaker jobs here run on one instance from S3 files; there is no support for {feature}."
            )
