"""Glue actions that moto lacks."""

from __future__ import annotations

from moto.core.responses import ActionResult
from moto.glue.responses import GlueResponse

from infra.localcloud.glue.models import GlueBackend


def _backend(response: GlueResponse) -> GlueBackend:
    backend = response.glue_backend
    assert isinstance(backend, GlueBackend)
    return backend


def update_job(self: GlueResponse) -> ActionResult:
    """Answers UpdateJob."""
    name = self._get_param("JobName")
    _backend(self).update_job(name, self._get_param("JobUpdate"))
    return ActionResult({"JobName": name})


def batch_stop_job_run(self: GlueResponse) -> ActionResult:
    """Answers BatchStopJobRun."""
    name = self._get_param("JobName")
    stopping, errors = _backend(self).batch_stop_job_run(name, self._get_param("JobRunIds"))
    return ActionResult(
        {
            "SuccessfulSubmissions": [{"JobName": name, "JobRunId": run_id} for run_id in stopping],
            "Errors": [
                {"JobName": name, "JobRunId": run_id, "ErrorDetail": {"ErrorCode": code, "ErrorMessage": message}}
                for run_id, (code, message) in errors.items()
            ],
        }
    )
