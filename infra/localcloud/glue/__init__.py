"""Glue: job runs that run. The catalog is moto's."""

from __future__ import annotations

from moto.glue.models import glue_backends
from moto.glue.responses import GlueResponse

from ..install import Context, add_actions, replace_backend
from .models import GlueBackend
from .responses import batch_stop_job_run, update_job


def install(context: Context) -> None:
    """Puts this backend and the actions that moto lacks into moto."""
    replace_backend(glue_backends, GlueBackend, context)
    add_actions(GlueResponse, update_job, batch_stop_job_run)
