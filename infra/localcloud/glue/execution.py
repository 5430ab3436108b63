"""Executes a job run: downloads the script as the job's role, starts it and follows it to its end."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from moto.core.base_backend import BaseBackend

from infra.localcloud.clients import role_client
from infra.localcloud.errors import SERVER_ENDED, AssumeRoleError
from infra.localcloud.glue import arguments as args
from infra.localcloud.glue.failure import error_message
from infra.localcloud.glue.job_run import LOG_GROUP, JobRun, now
from infra.localcloud.glue.spark import environment
from infra.localcloud.install import Context
from infra.localcloud.jobs import ExitResult
from infra.localcloud.logs import TAIL_LINES
from infra.localcloud.s3_uris import split_s3_uri

SECONDS_PER_MINUTE = 60


class JobExecution:
    """Executes a :class:`JobRun`. Calling it returns when the run has ended."""

    def __init__(self, context: Context, run: JobRun, backend: BaseBackend) -> None:
        self._context = context
        self._run = run
        self._backend = backend
        self._folder: Path = context.config.state / "glue" / run.job_run_id

    def __call__(self) -> None:
        """Executes the run; a failure to start it becomes the run's error."""
        run = self._run
        try:
            if run.state == "STARTING":
                argv, env = self._prepare()
                self._start(argv, env)
            if run.job is not None:
                run.job.wait()
        except (AssumeRoleError, BotoCoreError, ClientError, OSError, ValueError) as error:
            self._finish("FAILED", f"LAUNCH ERROR | {error}")
        except Exception as error:  # a client waits for the run: every failure must end it
            self._finish("FAILED", f"INTERNAL ERROR | {type(error).__name__}: {error}")
            raise
        finally:
            # STOPPED counts as a success in some clients, so only a stop that was requested ends in it.
            if run.state == "STOPPING":
                self._finish("STOPPED")
            elif run.unfinished:
                self._finish("FAILED", "INTERNAL ERROR | the local cloud lost the run")
            shutil.rmtree(self._folder / "tmp", ignore_errors=True)

    def _finish(self, state: str, error: str | None = None) -> None:
        with self._context.state.background(self._backend):
            self._run.finish(state, error)

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
        """A function that downloads with the role's credentials, so that the request log shows what the role reads."""
        config = self._context.config
        job = f"arn:aws:glue:{config.region}:{config.account}:job/{self._run.job_name}"
        keys = self._context.identity.mint(
            self._run.role, self._run.job_run_id[:64], service="glue.amazonaws.com", source_arn=job
        )
        client = role_client(keys, "s3")

        def fetch(uri: str) -> Path:
            bucket, key = split_s3_uri(uri)
            if not key:
                raise ValueError(f"{uri!r} names a bucket, not an object: write it like s3://bucket/key")
            path = self._folder / Path(key).name
            try:
                path.write_bytes(client.get_object(Bucket=bucket, Key=key)["Body"].read())
            except ClientError as error:
                details = error.response["Error"]
                raise ValueError(
                    f"Error downloading from S3 for bucket: {bucket}, key: {key}: "
                    f"{details.get('Code')}: {details.get('Message')}"
                ) from None
            return path

        return fetch

    def _start(self, argv: list[str], env: dict[str, str]) -> None:
        run, glue = self._run, self._context.config.glue
        preload = glue.preload.get(Path(argv[1]).name)
        self._context.runner.warm(glue.python, preload)  # seconds, in which the run must answer a stop
        with run.lock:
            if run.state != "STARTING":
                return
            run.job = self._context.runner.start(
                f"glue-{run.job_name}",
                argv,
                cwd=self._folder,
                env={**(preload.env if preload else {}), **env},
                role_arn=run.role,
                log_group=f"{LOG_GROUP}/output",
                error_log_group=f"{LOG_GROUP}/error",
                log_stream=run.job_run_id,
                log_role_arn=run.role,
                timeout_seconds=run.timeout_minutes * SECONDS_PER_MINUTE,
                on_exit=self._ended,
                preload=preload,
            )
            with self._context.state.background(self._backend):
                run.running_since = run.modified_on = now()
                run.state = "RUNNING"

    def _ended(self, result: ExitResult) -> None:
        run = self._run
        with run.lock:
            if result.kind == "stopped" and run.state == "STOPPING":
                self._finish("STOPPED")
            elif result.kind == "stopped":
                self._finish("FAILED", SERVER_ENDED)
            elif result.kind == "timed_out":
                self._finish(
                    "TIMEOUT", f"Job run exceeded its Timeout of {run.timeout_minutes} minute(s) and was ended"
                )
            elif result.code == 0:
                self._finish("SUCCEEDED")
            else:
                assert run.job is not None
                self._finish("FAILED", error_message(run.job.log_tail(TAIL_LINES), result.code))
