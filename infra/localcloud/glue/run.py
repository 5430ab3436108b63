"""One run of a job: fetch the script as its role, start it, follow it to its end."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from ..install import Context
from ..jobs import ExitResult, Job
from . import arguments as args
from .failure import error_message
from .spark import environment

LOG_GROUP = "/aws-glue/jobs"
SECONDS_A_MINUTE = 60
TAIL_LINES = 1000


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass
class JobRun:
    """A run and its state: STARTING, RUNNING, STOPPING, then SUCCEEDED, FAILED, STOPPED or TIMEOUT."""

    job_run_id: str
    job_name: str
    role: str
    script: str
    arguments: dict[str, str]
    timeout_minutes: int
    described: dict[str, Any] = field(default_factory=dict)
    state: str = "STARTING"
    error: str | None = None
    started_on: datetime = field(default_factory=_now)
    modified_on: datetime = field(default_factory=_now)
    running_since: datetime | None = None
    completed_on: datetime | None = None
    job: Job | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def unfinished(self) -> bool:
        return self.state in ("STARTING", "RUNNING", "STOPPING")

    def finish(self, state: str, error: str | None = None) -> None:
        self.error, self.completed_on = error, _now()
        self.modified_on, self.state = self.completed_on, state

    def stop(self) -> bool:
        """Asks the run to stop; False when it has ended already."""
        with self.lock:
            if not self.unfinished:
                return False
            self.state, self.modified_on = "STOPPING", _now()
            if self.job:
                self.job.stop()
        return True

    def as_dict(self) -> dict[str, Any]:
        """As GetJobRun answers; ExecutionTime in seconds."""
        until = self.completed_on or _now()
        answer = {
            "Id": self.job_run_id,
            "Attempt": 0,
            "JobName": self.job_name,
            "StartedOn": self.started_on,
            "LastModifiedOn": self.modified_on,
            "CompletedOn": self.completed_on,
            "JobRunState": self.state,
            "Arguments": self.arguments,
            "ErrorMessage": self.error,
            "PredecessorRuns": [],
            "ExecutionTime": round((until - self.running_since).total_seconds()) if self.running_since else 0,
            "Timeout": self.timeout_minutes,
            "LogGroupName": LOG_GROUP,
            **self.described,
        }
        return {name: value for name, value in answer.items() if value is not None}


class Execution:
    """Runs a :class:`JobRun`; :meth:`__call__` returns when it has ended."""

    def __init__(self, context: Context, run: JobRun) -> None:
        self._context = context
        self._run = run
        self._folder: Path = context.config.state / "glue" / run.job_run_id

    def __call__(self) -> None:
        run = self._run
        try:
            if run.state == "STARTING":
                argv, env = self._prepare()
                self._start(argv, env)
            if run.job is not None:
                run.job.wait()
        except (BotoCoreError, ClientError, OSError, ValueError) as error:
            run.finish("FAILED", f"LAUNCH ERROR | {error}")
        finally:
            if run.unfinished:
                run.finish("STOPPED")
            shutil.rmtree(self._folder / "tmp", ignore_errors=True)

    def _prepare(self) -> tuple[list[str], dict[str, str]]:
        config, run = self._context.config, self._run
        self._folder.mkdir(parents=True)
        fetch = self._fetcher()
        script = fetch(run.script)
        python_files = [fetch(uri) for uri in args.python_files(run.arguments)]
        on_path = [path if path.suffix in (".zip", ".egg", ".whl") else path.parent for path in python_files]
        env = environment(config, self._folder, args.spark_properties(run.arguments), on_path)
        return [
            str(config.glue.python),
            str(script),
            *args.script_arguments(run.arguments, run.job_name, run.job_run_id),
        ], env

    def _fetcher(self) -> Callable[[str], Path]:
        """Downloads as the job's role does on AWS, so that the request log shows what the role must be allowed to read."""
        minted = self._context.identity.mint(self._run.role, self._run.job_run_id[:64])
        client = boto3.session.Session().client(
            "s3",
            endpoint_url=minted["AWS_ENDPOINT_URL"],
            region_name=minted["AWS_REGION"],
            aws_access_key_id=minted["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=minted["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=minted["AWS_SESSION_TOKEN"],
        )

        def fetch(uri: str) -> Path:
            parsed = urlparse(uri)
            bucket, key = parsed.netloc, parsed.path.lstrip("/")
            if parsed.scheme not in ("s3", "s3a", "s3n") or not bucket or not key:
                raise ValueError(f"{uri!r} is not an s3:// URI of an object")
            path = self._folder / Path(key).name
            try:
                path.write_bytes(client.get_object(Bucket=bucket, Key=key)["Body"].read())
            except ClientError as error:
                said = error.response["Error"]
                raise ValueError(
                    f"Error downloading from S3 for bucket: {bucket}, key: {key}: {said.get('Code')}: {said.get('Message')}"
                ) from None
            return path

        return fetch

    def _start(self, argv: list[str], env: dict[str, str]) -> None:
        run = self._run
        with run.lock:
            if run.state != "STARTING":
                return
            run.job = self._context.runner.start(
                f"glue-{run.job_name}",
                argv,
                cwd=self._folder,
                env=env,
                role_arn=run.role,
                log_group=f"{LOG_GROUP}/output",
                error_log_group=f"{LOG_GROUP}/error",
                log_stream=run.job_run_id,
                timeout_seconds=run.timeout_minutes * SECONDS_A_MINUTE,
                on_exit=self._ended,
            )
            run.running_since = run.modified_on = _now()
            run.state = "RUNNING"

    def _ended(self, result: ExitResult) -> None:
        run = self._run
        with run.lock:
            if result.kind == "stopped":
                run.finish("STOPPED")
            elif result.kind == "timed_out":
                run.finish("TIMEOUT", f"Job run exceeded its Timeout of {run.timeout_minutes} minute(s) and was ended")
            elif result.code == 0:
                run.finish("SUCCEEDED")
            else:
                assert run.job is not None
                run.finish("FAILED", error_message(run.job.log_tail(TAIL_LINES), result.code))
