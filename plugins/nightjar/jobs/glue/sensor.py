"""Sense a Glue job run. STOPPED and TIMEOUT are failures."""

from __future__ import annotations

from typing import Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from nightjar.jobs.console import console_link
from nightjar.jobs.sensor import JobSensor


class GlueJobRunSensor(JobSensor):
    """Returns ``{"run_id", "submit_key", "execution_seconds"}``.

    :param job_name: Glue job.
    :param run_id: its run, as the submit operator returned it.
    """

    client_type = "glue"
    method = "get_job_run"
    state_path = "JobRun.JobRunState"
    running = ("WAITING", "STARTING", "RUNNING", "STOPPING")
    succeeded = ("SUCCEEDED",)
    template_fields = aws_template_fields("job_name", "run_id")

    def __init__(self, *, job_name: str, run_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.job_name = job_name
        self.run_id = run_id

    def arguments(self) -> dict[str, Any]:
        return {"JobName": self.job_name, "RunId": self.run_id}

    def result(self, answer: dict[str, Any]) -> dict[str, Any]:
        run = answer["JobRun"]
        return {
            "run_id": self.run_id,
            "submit_key": run.get("Arguments", {}).get("--submit-key"),
            "execution_seconds": run.get("ExecutionTime", 0),
        }

    def reason(self, answer: dict[str, Any]) -> str:
        return answer["JobRun"].get("ErrorMessage") or "Glue gives no reason"

    def log_streams(self, answer: dict[str, Any]) -> list[tuple[str, str]]:
        group = answer["JobRun"].get("LogGroupName", "/aws-glue/jobs")
        return [(f"{group}/output", self.run_id), (f"{group}/error", self.run_id)]

    def console_link(self) -> str:
        return console_link("glue", self.region_name, self.run_id, self.job_name)
