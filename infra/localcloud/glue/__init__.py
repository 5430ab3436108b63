"""Glue: job runs that execute. The catalog is moto's."""

from __future__ import annotations

from moto.glue.models import glue_backends
from moto.glue.responses import GlueResponse

from infra.localcloud.glue import connections
from infra.localcloud.glue.models import GlueBackend
from infra.localcloud.glue.partitions import get_partitions
from infra.localcloud.glue.responses import batch_stop_job_run, update_job
from infra.localcloud.install import Context, add_actions, replace_backend


def install(context: Context) -> None:
    """Puts this backend and the actions that moto lacks into moto."""
    replace_backend(glue_backends, GlueBackend, context)
    add_actions(GlueResponse, update_job, batch_stop_job_run, get_partitions, *connections.ACTIONS)
