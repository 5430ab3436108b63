"""Glue actions that moto lacks."""

from __future__ import annotations

from moto.core.responses import ActionResult
from moto.glue.responses import GlueResponse


def update_job(self: GlueResponse) -> ActionResult:
    """UpdateJob."""
    name = self._get_param("JobName")
    self.glue_backend.update_job(name, self._get_param("JobUpdate"))  # type: ignore[attr-defined]
    return ActionResult({"JobName": name})


def batch_stop_job_run(self: GlueResponse) -> ActionResult:
    """BatchStopJobRun."""
    name = self._get_param("JobName")
    stopping, errors = self.glue_backend.batch_stop_job_run(name, self._get_param("JobRunIds"))  # type: ignore[attr-defined]
    return ActionResult(
        {
            "SuccessfulSubmissions": [{"JobName": name, "JobRunId": run_id} for run_id in stopping],
            "Errors": [
                {"JobName": name, "JobRunId": run_id, "ErrorDetail": {"ErrorCode": code, "ErrorMessage": message}}
                for run_id, (code, message) in errors.items()
            ],
        }
    )
