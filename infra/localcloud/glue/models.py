"""Glue's backend: moto's, with job runs that execute as processes."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from moto.core.utils import utcnow
from moto.glue import models as moto_models
from moto.glue.exceptions import ConcurrentRunsExceededException, InvalidInputException, JobRunNotFoundException
from moto.moto_api._internal import mock_random
from moto.utilities.paginator import paginate

from infra.localcloud.glue.arguments import role_arn, unsupported
from infra.localcloud.glue.execution import JobExecution
from infra.localcloud.glue.job_run import JobRun
from infra.localcloud.install import Context

DEFAULT_TIMEOUT_MINUTES = 480  # Glue's default for version 5.0 and later


class GlueBackend(moto_models.GlueBackend):
    """Executes at most ``workers`` job runs at a time. The others stay STARTING, as on AWS while it finds capacity."""

    RUNTIME: ClassVar[dict[str, Any]] = {"_pool": None}
    context: ClassVar[Context]

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.runs: dict[str, list[JobRun]] = {}
        self._pool = self.context.background.pool("glue", self.context.config.workers, stuck_seconds=None)

    def create_job(self, *args: Any, **kwargs: Any) -> None:
        """CreateJob; a job is described with an execution class only if one was given."""
        super().create_job(*args, **kwargs)
        if not kwargs["execution_class"]:
            self.jobs[kwargs["name"]].execution_class = None  # type: ignore[assignment]  # moto declares str

    def start_job_run(
        self,
        name: str,
        arguments: dict[str, str] | None,
        allocated_capacity: int | None,
        max_capacity: float | None,
        timeout: int | None,
        worker_type: str | None,
        security_configuration: str | None,
        number_of_workers: int | None,
        notification_property: dict[str, int] | None,
        previous_run_id: str | None,
    ) -> str:
        """Starts a run; the arguments are those of StartJobRun.

        Returns:
            The run's id.

        Raises:
            ConcurrentRunsExceededException: The job has as many unfinished runs as it allows.
            InvalidInputException: The kind of job or an argument is not honoured here.
        """
        job = self.get_job(name)
        merged = {**job.default_arguments, **(arguments or {}), **(job.non_overridable_arguments or {})}
        command = cast(dict[str, str], job.command)  # moto declares str
        if reason := unsupported(merged, command):
            raise InvalidInputException("StartJobRun", f"{reason} (local cloud)")
        runs = self.runs.setdefault(name, [])
        allowed = (job.execution_property or {}).get("MaxConcurrentRuns", 1)
        if sum(run.unfinished for run in runs) >= allowed:
            raise ConcurrentRunsExceededException(f"Concurrent runs exceeded for {name}: {allowed} allowed")
        run = JobRun(
            job_run_id=f"jr_{mock_random.get_random_hex(64)}",
            job_name=name,
            role=role_arn(self.context.config, job.role),
            script=command["ScriptLocation"],
            arguments=merged,
            timeout_minutes=timeout or job.timeout or DEFAULT_TIMEOUT_MINUTES,
            details={
                "WorkerType": worker_type or job.worker_type,
                "NumberOfWorkers": number_of_workers or job.number_of_workers,
                "MaxCapacity": max_capacity or job.max_capacity,
                "AllocatedCapacity": allocated_capacity or job.allocated_capacity,
                "SecurityConfiguration": security_configuration or job.security_configuration,
                "NotificationProperty": notification_property or job.notification_property or None,
                "GlueVersion": job.glue_version,
                "ExecutionClass": job.execution_class,
                "PreviousRunId": previous_run_id,
            },
        )
        runs.insert(0, run)
        self._pool.submit(JobExecution(self.context, run, self))
        return run.job_run_id

    def get_job_run(self, name: str, run_id: str) -> JobRun:  # type: ignore[override]  # ours in place of moto's
        """Finds a run.

        Raises:
            JobRunNotFoundException: The job has no such run.
        """
        self.get_job(name)
        for run in self.runs.get(name, []):
            if run.job_run_id == run_id:
                return run
        raise JobRunNotFoundException(run_id)

    @paginate(pagination_model=moto_models.GlueBackend.PAGINATION_MODEL)
    def get_job_runs(self, job_name: str) -> list[JobRun]:  # type: ignore[override]  # ours in place of moto's
        """Lists the runs of a job, newest first."""
        self.get_job(job_name)
        return list(self.runs.get(job_name, []))

    def batch_stop_job_run(self, name: str, run_ids: list[str]) -> tuple[list[str], dict[str, tuple[str, str]]]:
        """Stops runs.

        Returns:
            The ids of the runs that are stopping, and an error (code, message) for each other id.
        """
        stopping: list[str] = []
        errors: dict[str, tuple[str, str]] = {}
        for run_id in run_ids:
            try:
                run = self.get_job_run(name, run_id)
            except JobRunNotFoundException as error:
                errors[run_id] = ("EntityNotFoundException", str(error.message))
                continue
            if run.stop():
                stopping.append(run_id)
            else:
                errors[run_id] = ("InvalidInputException", f"Job run is {run.state}, it cannot be stopped")
        return stopping, errors

    def update_job(self, name: str, update: dict[str, Any]) -> None:
        """Overwrites the job's definition. A setting that ``update`` lacks gets its default, as on AWS."""
        old = self.get_job(name)
        definition: dict[str, Any] = {
            "role": update.get("Role") or old.role,
            "command": update.get("Command") or old.command,
            "description": update.get("Description", ""),
            "log_uri": update.get("LogUri", ""),
            "execution_property": update.get("ExecutionProperty", {}),
            "default_arguments": update.get("DefaultArguments", {}),
            "non_overridable_arguments": update.get("NonOverridableArguments", {}),
            "connections": update.get("Connections", {}),
            "max_retries": update.get("MaxRetries", 0),
            "allocated_capacity": update.get("AllocatedCapacity"),
            "timeout": update.get("Timeout"),
            "max_capacity": update.get("MaxCapacity"),
            "security_configuration": update.get("SecurityConfiguration"),
            "tags": self.get_tags(old.arn),
            "notification_property": update.get("NotificationProperty", {}),
            "glue_version": update.get("GlueVersion"),
            "number_of_workers": update.get("NumberOfWorkers"),
            "worker_type": update.get("WorkerType"),
            "code_gen_configuration_nodes": update.get("CodeGenConfigurationNodes", {}),
            "execution_class": update.get("ExecutionClass", ""),
            "source_control_details": update.get("SourceControlDetails", {}),
        }
        self.create_job(name=name, **definition)
        self.jobs[name].created_on = old.created_on
        self.jobs[name].last_modified_on = utcnow()

    def delete_job(self, name: str) -> None:
        """Deletes the job and the list of its runs. Unfinished runs continue, as on AWS."""
        super().delete_job(name)
        self.runs.pop(name, None)
