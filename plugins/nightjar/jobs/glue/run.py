"""A run of a Glue job. STOPPED and TIMEOUT are failures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

from nightjar.jobs.job import CONSOLE, Description, LogStream, StoppableJob
from nightjar.jobs.usage import JobUsage, job_usage

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient

DEFAULT_LOG_GROUP = "/aws-glue/jobs"
KEY_ARGUMENT = "--submit-key"  # the job argument that holds the key of the attempt


class GlueRunResult(TypedDict):
    """What the sensor returns."""

    run_id: str
    submit_key: str | None
    execution_seconds: float
    worker_type: str | None
    workers: int


@dataclass(frozen=True)
class GlueRun(StoppableJob["GlueClient"]):
    """One run of a Glue job.

    Attributes:
        job_name: The Glue job.
        run_id: Its run, as the submit operator returned it.
    """

    job_name: str
    run_id: str

    client_type = "glue"
    describe_method = "get_job_run"
    state_path = "JobRun.JobRunState"
    active = frozenset({"WAITING", "STARTING", "RUNNING"})
    stopping = frozenset({"STOPPING"})
    succeeded = frozenset({"SUCCEEDED"})

    @property
    def identifier(self) -> str:
        """The run's id."""
        return self.run_id

    def describe_arguments(self) -> dict[str, Any]:
        """Returns the arguments of GetJobRun."""
        return {"JobName": self.job_name, "RunId": self.run_id}

    def result(self, description: Description) -> GlueRunResult:
        """Returns the run, the key it was submitted under, its running time and its workers."""
        run = description["JobRun"]
        return {
            "run_id": self.run_id,
            "submit_key": self.submit_key(description),
            "execution_seconds": run.get("ExecutionTime", 0),
            "worker_type": run.get("WorkerType"),
            "workers": run.get("NumberOfWorkers", 0),
        }

    def submit_key(self, description: Description) -> str | None:
        """Returns the job argument that holds it."""
        key: str | None = description["JobRun"].get("Arguments", {}).get(KEY_ARGUMENT)
        return key

    def usages(self, client: GlueClient, description: Description) -> list[JobUsage]:
        """Returns its workers and their time."""
        run = description["JobRun"]
        return [
            job_usage(
                "glue",
                self.job_name,
                self.run_id,
                self.state(description),
                self.submit_key(description),
                run.get("CompletedOn") or run["LastModifiedOn"],
                size=run.get("WorkerType", ""),
                count=run.get("NumberOfWorkers", 0),
                seconds=run.get("ExecutionTime", 0),
                dpu_seconds=run.get("DPUSeconds"),
                is_flexible=run.get("ExecutionClass") == "FLEX",
            )
        ]

    def reason(self, client: GlueClient, description: Description) -> str:
        """Returns Glue's error message."""
        return description["JobRun"].get("ErrorMessage") or "Glue gives no reason"

    def log_streams(self, client: GlueClient, description: Description) -> list[LogStream]:
        """Returns the streams of standard output and standard error."""
        group = description["JobRun"].get("LogGroupName", DEFAULT_LOG_GROUP)
        return [(f"{group}/output", self.run_id), (f"{group}/error", self.run_id)]

    def console_link(self, region: str) -> str:
        """Returns the run's page in Glue Studio."""
        return f"{CONSOLE}gluestudio/home?region={region}#/job/{self.job_name}/run/{self.run_id}"

    def stop(self, client: GlueClient) -> None:
        """Stops the run.

        Raises:
            RuntimeError: Glue refused.
        """
        errors = client.batch_stop_job_run(JobName=self.job_name, JobRunIds=[self.run_id])["Errors"]
        if errors:
            raise RuntimeError(f"Glue did not stop {self.run_id}: {errors}. Stop it in the console.")
