"""What training and processing jobs have in common: a thread, a folder that stands in for ``/opt/ml``, and one process."""

from __future__ import annotations

import shutil
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

from moto.core.utils import utcnow
from moto.sagemaker.exceptions import ValidationError

from infra.localcloud.errors import UnknownImageError
from ..install import Context
from ..jobs import ExitResult, Job
from .storage import Storage, StorageError

STOP_GRACE_SECONDS = 120.0  # as on SageMaker
_REASON_CHARACTERS = 1024
_TAIL_LINES = 20
ML = "/opt/ml"


class JobError(RuntimeError):
    """The job fails for a reason of its own; the text becomes its FailureReason."""


class SageMakerJob:
    """One job. Subclasses say what comes before the process and after it, and keep ``status`` true."""

    kind: str  # "training" or "processing": the name in ARNs, log groups and folders
    running = "InProgress"

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
        self._stop_asked = False
        self._process: Job | None = None

    def start(self) -> None:
        """Returns at once."""
        threading.Thread(target=self._run, name=f"{self.kind}-{self.name}", daemon=True).start()

    def stop(self) -> None:
        """Asks the process to end, kills it after the grace time."""
        with self._lock:
            if self.status == "Stopping":
                return
            if self.status != "InProgress":
                raise ValidationError(
                    f"The request was rejected because the {self.kind} job is in status {self.status}."
                )
            self._stop_asked = True
            self.status, self.modified_at = "Stopping", utcnow()
            self.stopping()
            if self._process:
                self._process.stop(STOP_GRACE_SECONDS)

    # --- what subclasses say ---

    def prepare(self, storage: Storage) -> None:
        raise NotImplementedError

    def command(self) -> tuple[list[str], Path, dict[str, str]]:
        """argv, working directory and environment (image's and job's)."""
        raise NotImplementedError

    def max_runtime(self) -> float:
        raise NotImplementedError

    def started(self) -> None:
        """The process runs."""

    def stopping(self) -> None:
        """A stop was asked for (the lock is held)."""

    def finish(self, storage: Storage, result: ExitResult | None) -> str:
        """Uploads; returns the status that the job ends with. ``result`` is None when it was stopped before its process ran."""
        raise NotImplementedError

    def ended(self, status: str) -> None:
        """The status is final (the lock is held)."""

    # --- the thread ---

    def _run(self) -> None:
        try:
            # A server that was started on an older one's state folder may find what a job of this name left there.
            shutil.rmtree(self.root, ignore_errors=True)
            self.root.mkdir(parents=True)
            storage = Storage(self.context, self.request["RoleArn"])
            self.prepare(storage)
            status = self.finish(storage, self._execute())
        except (JobError, StorageError, UnknownImageError) as error:
            status = self._fail(str(error))
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            status = self._fail(f"InternalServerError: {type(error).__name__}: {error}")
        shutil.rmtree(self.root, ignore_errors=True)
        with self._lock:
            self.status, self.modified_at = status, utcnow()
            self.ended(status)

    def _execute(self) -> ExitResult | None:
        argv, cwd, environment = self.command()
        with self._lock:
            if self._stop_asked:
                return None
            try:
                self._process = self.context.runner.start(
                    f"{self.kind}-{self.name}",
                    [self.localized(word) for word in argv],
                    cwd=cwd,
                    env={**{k: self.localized(v) for k, v in environment.items()}, "ML_ROOT": str(self.root)},
                    role_arn=self.request["RoleArn"],
                    log_group=self.log_group,
                    log_stream=self.log_stream,
                    timeout_seconds=self.max_runtime(),
                )
            except OSError as error:
                raise JobError(f"ClientError: the container cannot be started: {error}") from None
            self.started()
        return self._process.wait()

    def _fail(self, reason: str) -> str:
        self.failure_reason = reason[:_REASON_CHARACTERS]
        return "Failed"

    # --- helpers for subclasses ---

    def localized(self, path: str) -> str:
        """A path below ``/opt/ml`` as the path below this job's folder; any other text as it is."""
        return str(self.root) + path[len(ML) :] if path == ML or path.startswith(ML + "/") else path

    def failed(self, result: ExitResult) -> str:
        """The verdict on a process that ended with an error: its failure file, else its exit code and last lines."""
        code = 128 - result.code if result.code < 0 else result.code
        text = self.read("output/failure") or "\n".join(result.tail[-_TAIL_LINES:])
        ending = f", exit code: {code}"
        beginning = "AlgorithmError: "
        room = _REASON_CHARACTERS - len(beginning) - len(ending)
        # A failure file begins with what matters, a traceback ends with it.
        kept = text[:room] if self.read("output/failure") else text[-room:]
        return self._fail(beginning + (kept.strip() or "the container printed nothing") + ending)

    def read(self, name: str) -> str:
        """A small text file of the job's folder, empty when there is none."""
        try:
            return (self.root / name).read_text(errors="replace").strip()
        except OSError:
            return ""

    def log_lines(self) -> list[str]:
        """Everything the job has printed."""
        file = self.context.config.state / "logs" / f"{self.log_group}/{self.log_stream}".strip("/")
        return file.read_text(errors="replace").splitlines() if file.exists() else []


def words(
    image_command: tuple[str, ...], entrypoint: list[str] | None, arguments: list[str] | None, default: list[str]
) -> list[str]:
    """What a container is started with: its entry point (else the image's command) and arguments (else ``default``)."""
    if entrypoint:
        return [*entrypoint, *(arguments or [])]
    return [*image_command, *(arguments or default)]


def refuse_if(reasons: dict[str, bool]) -> None:
    """Refuses a request of which a part would not be done."""
    for reason, asked in reasons.items():
        if asked:
            raise NotImplementedError(
                f"SageMaker jobs here run on one instance from S3 files; there is no support for {reason}."
            )
