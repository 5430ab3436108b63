"""Start a Glue job run once (see :mod:`nightjar.jobs.submit`). The key is the job argument ``--submit-key``."""

from __future__ import annotations

from typing import Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from nightjar.jobs.console import console_link
from nightjar.jobs.submit import Job, SubmitOperator, fill


class SubmitGlueJobOperator(SubmitOperator):
    """Returns the run id; XCom ``submit_key`` holds the attempt's key.

    Glue's StartJobRun has no client token, so runs are listed first. The job itself (script, workers, time limit, retries 0)
    is owned by infrastructure; only script arguments are given.

    :param job_name: Glue job.
    :param submit_key: key of the work.
    :param arguments: script arguments (``--name``: string), may hold ``${submit_key}``.
    :param fresh: run anew though the work was done.
    """

    client_type = "glue"
    adoptable = frozenset({"WAITING", "STARTING", "RUNNING", "SUCCEEDED"})
    template_fields = aws_template_fields("submit_key", "fresh", "job_name", "arguments")

    def __init__(self, *, job_name: str, arguments: dict[str, str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.job_name = job_name
        self.arguments = arguments

    def find_or_start(self, key: str) -> Job:
        pages = self.hook.conn.get_paginator("get_job_runs").paginate(JobName=self.job_name)
        found = [
            run for page in pages for run in page["JobRuns"] if run.get("Arguments", {}).get("--submit-key") == key
        ]
        if found:
            # Two runs of one key exist only if two submits ran at once: the one that can be adopted counts.
            best = max(found, key=lambda run: run["JobRunState"] in self.adoptable)
            return Job(best["Id"], best["JobRunState"])
        arguments = {**fill(self.arguments, {"submit_key": key}), "--submit-key": key}
        return Job(
            self.hook.conn.start_job_run(JobName=self.job_name, Arguments=arguments)["JobRunId"],
            "STARTING",
            started=True,
        )

    def console_link(self, job: Job) -> str:
        return console_link("glue", self.region_name, job.identifier, self.job_name)
