"""Start a Glue job run once (see :mod:`nightjar.jobs.submit`). The key is the job argument ``--submit-key``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from nightjar.jobs.glue.run import KEY_ARGUMENT, GlueRun
from nightjar.jobs.submit import Attempt, SubmitOperator, fill, require_text

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient


class SubmitGlueJobOperator(SubmitOperator):
    """Returns the run's id.

    Glue's StartJobRun has no client token, so the runs are listed first. Infrastructure owns the job itself (script,
    no retries, default size); the operator passes script arguments, and what a run has instead of the default size.

    Args:
        job_name: The Glue job (templated).
        arguments: Script arguments, ``--name``: text (templated). A text may hold ``${submit_key}``.
        size: Members of StartJobRun: ``WorkerType``, ``NumberOfWorkers``, ``Timeout`` in minutes. They do not count in
            the key: a run of another size does the same.
        **kwargs: See :class:`SubmitOperator`.
    """

    client_type = GlueRun.client_type
    template_fields = aws_template_fields("submit_key", "fresh", "job_name", "arguments")

    def __init__(
        self, *, job_name: str, arguments: dict[str, str], size: dict[str, Any] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.job_name = job_name
        self.arguments = arguments
        self.size = size or {}

    def submitted_job(self) -> GlueRun:
        """Returns the run."""
        return GlueRun(self.job_name, self.output)  # type: ignore[arg-type]  # rendered before it is used

    def find_or_start(self, key: str) -> Attempt:
        """Returns the run whose ``--submit-key`` is the key, else starts one."""
        client: GlueClient = self.hook.conn
        pages = client.get_paginator("get_job_runs").paginate(JobName=self.job_name)
        runs = [run for page in pages for run in page["JobRuns"] if run.get("Arguments", {}).get(KEY_ARGUMENT) == key]
        if runs:
            found = [Attempt(GlueRun(self.job_name, run["Id"]), run["JobRunState"]) for run in runs]
            # Two runs have one key only if two submits ran at once. The one that can be adopted counts.
            return max(found, key=lambda attempt: attempt.is_adoptable)
        arguments = {name: require_text(name, value) for name, value in self.arguments.items()}
        request = {**fill(arguments, {"submit_key": key}), KEY_ARGUMENT: key}
        run_id = client.start_job_run(JobName=self.job_name, Arguments=request, **self.size)["JobRunId"]
        return Attempt(GlueRun(self.job_name, run_id), "STARTING", started=True)
